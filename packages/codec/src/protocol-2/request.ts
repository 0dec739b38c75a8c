/** The requests of protocol 2 as values. Format: docs/format/wire-2.md, "Requests". */

import type { Write } from './write.ts';

/** How old the answer to a read may be. */
export type Freshness =
  | { readonly kind: 'linearizable' }
  /** By the leader's lease: as `linearizable`, unless a clock runs wrong. */
  | { readonly kind: 'lease' }
  /** Whatever the node has. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'bounded'; readonly maxStalenessMs: number };

/** Bounds compare as unsigned bytes. */
export interface RowRange {
  readonly from: Uint8Array;
  readonly isFromExclusive: boolean;
  /** Empty: no end. */
  readonly to: Uint8Array;
  readonly isToInclusive: boolean;
}

export interface ScanRequest2 {
  readonly kind: 'scan';
  readonly freshness: Freshness;
  readonly range: RowRange;
  readonly isDescending: boolean;
  readonly isWithoutValues: boolean;
  /** 0: none. */
  readonly limit: number;
  /** Up to `MAX_PAGE_BYTES`; 0: the node's choice. */
  readonly pageBytes: number;
  /** Up to `MAX_PAGE_ROWS`; 0: the node's choice. */
  readonly pageRows: number;
}

export type Request2 =
  | { readonly kind: 'auth'; readonly role: 'client' | 'operator'; readonly token: Uint8Array }
  | { readonly kind: 'cancel'; readonly target: number }
  | { readonly kind: 'health' }
  | { readonly kind: 'get'; readonly freshness: Freshness; readonly key: Uint8Array }
  | { readonly kind: 'get-many'; readonly freshness: Freshness; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'write'; readonly write: Write }
  | ScanRequest2
  | { readonly kind: 'more'; readonly scan: number }
  | { readonly kind: 'end-scan'; readonly scan: number }
  | { readonly kind: 'open-session'; readonly expiryMs: number }
  | { readonly kind: 'touch-session'; readonly session: number }
  | { readonly kind: 'close-session'; readonly session: number }
  | { readonly kind: 'status' }
  | { readonly kind: 'members' }
  | {
      readonly kind: 'add-member';
      readonly node: number;
      readonly peerAddress: string;
      readonly clientAddress: string;
      readonly isDryRun: boolean;
      readonly staysLearner: boolean;
    }
  | { readonly kind: 'promote-member'; readonly node: number; readonly isDryRun: boolean }
  | { readonly kind: 'remove-member'; readonly node: number; readonly isDryRun: boolean }
  /** `node` 0: any. */
  | { readonly kind: 'transfer-leader'; readonly node: number };

export type RequestKind2 = Request2['kind'];

/** Any other opcode: to be refused with KAYA_UNSUPPORTED. Its payload is not looked at. */
export interface UnsupportedRequest2 {
  readonly kind: 'unsupported';
  readonly opcode: number;
}

/** What `decodeRequest2` gives. Its byte arrays are views of the frame. */
export type DecodedRequest2 = Request2 | UnsupportedRequest2;

/** What stands in front of every request. */
export interface RequestEnvelope2 {
  readonly id: number;
  /** Milliseconds from when the node has the frame; 0: for ever. */
  readonly deadlineMs: number;
}

/** The same with the opcode, as it came. */
export interface RequestHeader2 extends RequestEnvelope2 {
  readonly opcode: number;
}
