/**
 * The compact serialisation of RFC 7515: three parts of base64url. jose skips
 * padding and white space, and one token would then have many texts; whoever
 * takes a token asks for this form first.
 */
export const COMPACT_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
