// What `coherent-server build` writes beside the code it made: the application's modules, what each is made of and what it
// imports. With it two builds can be compared page by page.

export interface BuiltModule {
  /** Of its code. */
  readonly hash: string;
  /** Other modules of the build, by path. */
  readonly imports: readonly string[];
  /** What Node finds: packages, with the path inside, and `node:` modules. */
  readonly packages: readonly string[];
}

export interface BuildManifest {
  readonly version: 1;
  /** By path from the folder of the build, with '/'. */
  readonly modules: Readonly<Record<string, BuiltModule>>;
}
