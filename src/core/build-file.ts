/** What `coherent-server build` leaves in a folder: by it a build is known. */
export const BUILD_FILE = 'coherent-build.json';
