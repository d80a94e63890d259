import manifest from "../../../static/built/manifest.json" with { type: "json" };

const built: Readonly<Record<string, string>> = manifest;

/**
 * The address of a built module or stylesheet. Its name carries a hash of its
 * contents, so it may be cached forever and a page never meets the wrong version.
 */
export function assetPath(name: string): string {
  return built[name] ?? `/built/${name}`;
}
