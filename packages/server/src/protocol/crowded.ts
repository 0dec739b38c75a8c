/** What a connection is told that has none of the places that everybody may have. */
export const CROWDED =
  'too many connections: the last ones are kept for operators; close some, or raise --max-client-connections';
