// Has the cruiser's parser read the JSX in .tsx files, which it does not ask for.
import swc from '@swc/core';

const { parseFileSync } = swc.Compiler.prototype;
swc.Compiler.prototype.parseFileSync = function parse(file, options, path) {
  return parseFileSync.call(this, file, { ...options, tsx: file.endsWith('.tsx') }, path);
};
