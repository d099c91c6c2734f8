// Uploads: what comes whole is there, what does not leaves nothing; sizes, types, numbers, slowness; and a gigabyte in little memory.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { endpoint, redirect, stream, toFolder, upload } from '../../src/index.ts';
import { type Site, startSite } from '../support/site.ts';

const GIGABYTE = 1024 ** 3;
let folder: string;
let site: Site;
let runs = 0;
let discarded: string[] = [];

const png = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#336699' } })
  .png()
  .toBuffer();

beforeEach(async () => {
  [runs, discarded] = [0, []];
  folder = await mkdtemp(join(tmpdir(), 'uploads-'));
  site = await startSite({
    limits: { requestTimeoutMs: 300, connectionsCheckingMs: 30 },
    pages: {
      pictures: endpoint({
        from: 'anywhere',
        POST: {
          body: upload({
            fields: { caption: z.string().max(20) },
            files: {
              picture: {
                sink: toFolder(folder),
                maxBytes: 50_000,
                types: ['image/png', 'image/jpeg'],
                max: 2,
              },
              note: { sink: toFolder(folder), maxBytes: 100, types: ['text/plain'], min: 0 },
            },
          }),
          handler: ({ body }) => {
            runs++;
            return Response.json(
              {
                caption: body.fields.caption,
                pictures: body.files.picture.map(({ name, type, bytes }) => ({ name, type, bytes })),
                notes: body.files.note.length,
              },
              { status: 201 },
            );
          },
        },
      }),
      thumbnails: endpoint({
        from: 'anywhere',
        POST: {
          body: upload({
            files: {
              picture: {
                maxBytes: 50_000,
                types: ['image/png'],
                sink: {
                  save: ({ stream }) => {
                    const small = sharp({ limitInputPixels: 1e6 }).resize(80).webp();
                    return stream.pipe(small).toBuffer();
                  },
                },
              },
            },
          }),
          handler: ({ body }) =>
            new Response(new Uint8Array(body.files.picture[0] ?? []), {
              headers: { 'content-type': 'image/webp' },
            }),
        },
      }),
      broken: endpoint({
        from: 'anywhere',
        POST: {
          body: upload({
            files: {
              first: {
                maxBytes: 50_000,
                sink: {
                  save: async ({ stream, name }) => {
                    for await (const _ of stream);
                    return name;
                  },
                  discard: async (name) => void discarded.push(String(name)),
                },
              },
              second: {
                maxBytes: 50_000,
                sink: {
                  save: async () => {
                    throw new Error('the disk is full');
                  },
                },
              },
            },
          }),
          handler: () => redirect('/'),
        },
      }),
      large: endpoint({
        from: 'anywhere',
        PUT: {
          body: stream(),
          maxBytes: 2 * GIGABYTE,
          handler: async ({ body }) => {
            let bytes = 0;
            let most = 0;
            for await (const chunk of body) {
              bytes += (chunk as Buffer).length;
              if (bytes % 64 === 0) most = Math.max(most, process.memoryUsage.rss());
            }
            return { bytes, most };
          },
        },
        POST: {
          body: upload({
            files: {
              file: {
                maxBytes: 2 * GIGABYTE,
                sink: {
                  save: async ({ stream }) => {
                    let bytes = 0;
                    let most = 0;
                    for await (const chunk of stream) {
                      bytes += (chunk as Buffer).length;
                      most = Math.max(most, process.memoryUsage.rss());
                    }
                    return { bytes, most };
                  },
                },
              },
            },
          }),
          handler: ({ body }) => body.files.file[0] ?? {},
        },
      }),
    },
  });
});
afterEach(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

interface Part {
  readonly name: string;
  readonly value: string | Buffer;
  readonly fileName?: string;
  readonly type?: string;
}
const pictures = (extra: readonly Part[] = [], value: Buffer = png): Part[] => [
  { name: 'caption', value: 'At sea' },
  { name: 'picture', value, fileName: '../../etc/a.png', type: 'image/png' },
  ...extra,
];
function formOf(parts: readonly Part[]): FormData {
  const form = new FormData();
  for (const { name, value, fileName, type } of parts)
    if (fileName === undefined) form.append(name, String(value));
    else
      form.append(
        name,
        new Blob([new Uint8Array(Buffer.from(value))], type === undefined ? {} : { type }),
        fileName,
      );
  return form;
}
const post = (path: string, parts: readonly Part[]) =>
  fetch(`${site.origin}${path}`, { method: 'POST', body: formOf(parts), redirect: 'manual' });
const kept = () => readdir(folder);

describe('an upload', () => {
  it('is kept under names of our own, and told to the handler with its fields', async () => {
    const note = { name: 'note', value: 'hello', fileName: 'n.txt', type: 'text/plain' };
    const answer = await post('/pictures', pictures([note]));
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({
      caption: 'At sea',
      pictures: [{ name: 'a.png', type: 'image/png', bytes: png.length }],
      notes: 1,
    });
    const files = await kept();
    expect(files).toHaveLength(2);
    for (const file of files) expect(file).toMatch(/^[0-9a-f-]{36}$/);
    const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
    expect(contents.some((content) => content.equals(png))).toBe(true);
  });

  it('becomes a thumbnail by a library', async () => {
    const answer = await post('/thumbnails', [{ name: 'picture', value: png, fileName: 'a.png' }]);
    const { format, width } = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
    expect([format, width]).toEqual(['webp', 80]);
  });

  const html = Buffer.from('<script>alert(1)</script>');
  it.each<[string, Part[], number]>([
    ['without its picture', [{ name: 'caption', value: 'x' }], 422],
    [
      'with a field that is refused',
      [{ name: 'caption', value: 'x'.repeat(21) }, ...pictures().slice(1)],
      422,
    ],
    [
      'with a field in which nothing was chosen',
      [
        { name: 'caption', value: 'x' },
        { name: 'picture', value: '', fileName: '' },
      ],
      422,
    ],
    ['too large', pictures([], Buffer.concat([png, Buffer.alloc(60_000)])), 413],
    ['of HTML that says it is a picture', pictures([], html), 415],
    ['of a GIF that says it is a PNG', pictures([], Buffer.from('GIF89a____________')), 415],
    [
      'of a PNG that says it is text',
      pictures([{ name: 'note', value: png.subarray(0, 90), fileName: 'n.txt', type: 'text/plain' }]),
      415,
    ],
    [
      'of three files where two are taken',
      [...pictures(), ...pictures().slice(1), ...pictures().slice(1)],
      413,
    ],
    [
      'with a file in a field that takes none',
      pictures([{ name: 'caption', value: png, fileName: 'x.png' }]),
      400,
    ],
    ['with a file of another name', pictures([{ name: '__proto__', value: png, fileName: 'x.png' }]), 400],
    ['of 10,000 fields', Array.from({ length: 10_000 }, (_, at) => ({ name: `f${at}`, value: 'x' })), 413],
    [
      'of 10,000 files',
      Array.from({ length: 10_000 }, () => ({ name: 'x', value: 'x', fileName: 'x' })),
      413,
    ],
    ['with a name of 1 MB', [{ name: 'x'.repeat(1e6), value: 'x' }, ...pictures()], 413],
    ['with a file name of 1 MB', [{ name: 'picture', value: png, fileName: 'x'.repeat(1e6) }], 413],
    ['with a field of 1 MB', [{ name: 'caption', value: 'x'.repeat(1e6) }, ...pictures()], 413],
  ])('%s is refused, and leaves nothing', async (_, parts, status) => {
    const answer = await post('/pictures', parts).catch(() => undefined);
    // What is far too large may be cut off while it is still being sent.
    if (answer !== undefined || status < 400) expect(answer?.status).toBe(status);
    expect(runs).toBe(0);
    await expect.poll(kept).toEqual([]);
    expect((await post('/pictures', pictures())).status).toBe(201);
  });

  it.each([
    ['application/json', '{}', 415],
    ['multipart/form-data', 'x', 400],
    ['multipart/form-data; boundary=x', 'no parts at all', 400],
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\nhalf',
      400,
    ],
  ])('of type %s with %j is refused', async (type, body, status) => {
    const answer = await fetch(`${site.origin}/pictures`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });
    expect(answer.status).toBe(status);
    await expect.poll(kept).toEqual([]);
  });

  it('that a sink fails in is 500, and what was saved before is discarded', async () => {
    const parts = ['first', 'second'].map((name) => ({ name, value: png, fileName: `${name}.png` }));
    expect((await post('/broken', parts)).status).toBe(500);
    expect(discarded).toEqual(['first.png']);
  });
});

describe('a sender', () => {
  const head = (length: number) =>
    `POST /pictures HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${length}\r\n\r\n` +
    '--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n';

  it('that breaks off leaves nothing', async () => {
    const socket = connect(site.port, '127.0.0.1');
    socket.write(Buffer.concat([Buffer.from(head(40_000)), png, Buffer.alloc(8000)]));
    await expect.poll(kept).toHaveLength(1);
    socket.destroy();
    await expect.poll(kept).toEqual([]);
    expect(runs).toBe(0);
  });

  it('that stalls is told so after a while, and leaves nothing', async () => {
    const socket = connect(site.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write(Buffer.concat([Buffer.from(head(40_000)), png, Buffer.alloc(8000)]));
    await expect.poll(() => answer, { timeout: 5000 }).toContain('408');
    await expect.poll(kept).toEqual([]);
    socket.destroy();
  });

  it('that is slow, but sends, takes as long as it needs', async () => {
    const body = Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="caption"\r\n\r\nslow\r\n'),
      Buffer.from('--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'),
      png,
      Buffer.alloc(20_000),
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const socket = connect(site.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write(
      `POST /pictures HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    // Four times as long as a request without progress may take.
    const step = Math.ceil(body.length / 24);
    for (let at = 0; at < body.length; at += step) {
      socket.write(body.subarray(at, at + step));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await expect.poll(() => answer, { timeout: 5000 }).toContain('201');
    socket.destroy();
  });
});

test.each([
  ['PUT', ''],
  ['POST', 'multipart'],
])(
  'a gigabyte by %s raises memory by less than 20 MB',
  async (method, multipart) => {
    const measure = async (bytes: number): Promise<{ bytes: number; most: number }> => {
      const client = spawn(process.execPath, [
        '-e',
        CLIENT,
        String(site.port),
        method,
        multipart,
        String(bytes),
      ]);
      let text = '';
      for await (const chunk of client.stdout) text += chunk;
      return JSON.parse(text);
    };
    // What the code and its buffers take anyway.
    await measure(64 * 1024 * 1024);
    const before = process.memoryUsage.rss();
    const { bytes, most } = await measure(GIGABYTE);
    expect(bytes).toBe(GIGABYTE);
    expect((most - before) / 1e6).toBeLessThan(20);
  },
  120_000,
);

/** A process of its own: its memory is not ours. */
const CLIENT = `
const http = require('node:http');
const [port, method, multipart, size] = process.argv.slice(1);
const open = multipart ? '--b\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\n' : '';
const close = multipart ? '\\r\\n--b--\\r\\n' : '';
const type = multipart ? 'multipart/form-data; boundary=b' : 'application/octet-stream';
const request = http.request({ port, method, path: '/large', headers: { 'content-type': type, 'content-length': open.length + Number(size) + close.length } }, (response) => response.pipe(process.stdout));
const chunk = Buffer.alloc(65536, 'x');
request.write(open);
let left = Number(size);
const more = () => {
  while (left > 0) {
    left -= chunk.length;
    if (!request.write(chunk)) return request.once('drain', more);
  }
  request.end(close);
};
more();
`;
