/** Where absolute addresses of feeds and sitemaps begin. */
export const ORIGIN = process.env.PUBLIC_ORIGIN ?? 'http://localhost:3000';
