/* The build writes this file; the type stands here so that a fresh clone type-checks before its first build. */
declare module "*/static/built/manifest.json" {
  const manifest: Readonly<Record<string, string>>;
  export default manifest;
}
