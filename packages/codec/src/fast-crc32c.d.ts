declare module 'fast-crc32c' {
  /** CRC-32C of `data`, continued from `initial`. Native when sse4_crc32 was built, JavaScript otherwise. */
  export function calculate(data: Uint8Array, initial?: number): number;
}
