// The headers that every response carries, whatever made it. The content security policy is not here: it belongs
// to the page (src/page/definitions/content-security.ts), because a page may hold inline scripts that it vouches for.

/** Flat list: name, value, name, value. */
export const SECURITY_HEADERS: readonly string[] = Object.freeze([
  'x-content-type-options',
  'nosniff',
  'referrer-policy',
  'strict-origin-when-cross-origin',
  'permissions-policy',
  'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cross-origin-opener-policy',
  'same-origin',
  'cross-origin-resource-policy',
  'same-origin',
]);
