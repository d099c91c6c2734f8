// Vite is an optional peer: what serves pages never loads it, and the author's commands say what is missing.
import { ToolMissingError } from './errors.ts';

export type Vite = typeof import('vite');

const SUPPORTED = [7, 8];

/** Errors: `E_TOOL_MISSING`. */
export async function loadVite(): Promise<Vite> {
  let vite: Vite;
  try {
    vite = await import('vite');
  } catch (cause) {
    throw new ToolMissingError(
      'This command works with Vite, which is not installed. Install it with: npm install --save-dev vite',
      { cause },
    );
  }
  const major = Number.parseInt(vite.version, 10);
  if (SUPPORTED.includes(major)) return vite;
  throw new ToolMissingError(
    `This command works with Vite ${SUPPORTED.join(' or ')}, and ${vite.version} is installed. Install another one with: npm install --save-dev vite@${SUPPORTED.at(-1)}`,
  );
}
