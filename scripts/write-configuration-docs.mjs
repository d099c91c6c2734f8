#!/usr/bin/env node
// Writes docs/configuration.md from the table in config/settings.ts, as it was built: run `npm run build` first.
import { writeFileSync } from 'node:fs';
import { configurationDocs } from '../dist/config/docs.js';

const file = new URL('../docs/configuration.md', import.meta.url);
writeFileSync(file, configurationDocs());
console.log('written: docs/configuration.md');
