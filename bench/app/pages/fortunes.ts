export { default } from '../../../app/pages/fortunes.ts';
