/**
 * The value of Content-Disposition that saves an answer under `name`, whatever characters it has (RFC 6266, RFC 8187). Only
 * its last part counts: a name is no path.
 */
export function attachment(name: string): string {
  const plain = name.split(/[/\\]/).at(-1) ?? '';
  const ascii = plain.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  if (ascii === plain) return `attachment; filename="${ascii}"`;
  const encoded = encodeURIComponent(plain.replace(/[\ud800-\udfff]/gu, '_')).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
