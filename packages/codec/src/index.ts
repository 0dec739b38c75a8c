export { assert, assertNever, AssertionError } from './assert.ts';
export { ByteReader } from './byte-reader.ts';
export { ByteWriter } from './byte-writer.ts';
export {
  compareBytes,
  concatBytes,
  copyBytes,
  decodeUtf8,
  decodeUtf8Strict,
  EMPTY_BYTES,
  encodeUtf8,
  equalBytes,
  prefixEnd,
  startsWith,
  toBytes,
} from './bytes.ts';
export { crc32c, isNativeCrc32c } from './crc32c.ts';
export { DecodeError, KayaError, type DecodeErrorCode } from './errors.ts';
export { type AddressScope, classifyAddress } from './ip-address.ts';
export { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from './fixed-int.ts';
export type { Clock, Timer } from './clock.ts';
export { decodeRequest } from './protocol/decode-request.ts';
export { decodeResponse } from './protocol/decode-response.ts';
export { encodeRequest } from './protocol/encode-request.ts';
export { encodeResponse } from './protocol/encode-response.ts';
export { FrameDecoder } from './protocol/frame-decoder.ts';
export { ProtocolError, type ProtocolErrorCode } from './protocol/protocol-error.ts';
export type {
  AddMemberRequest,
  Credential,
  DecodedRequest,
  DeleteRequest,
  GetRequest,
  HealthRequest,
  HelloRequest,
  PromoteLearnerRequest,
  PutRequest,
  RemoveMemberRequest,
  Request,
  RequestKind,
  ScanRequest,
  StatsRequest,
  TransferLeaderRequest,
  UnsupportedRequest,
} from './protocol/request.ts';
export {
  type ConflictResponse,
  type DoneResponse,
  type ErrorResponse,
  type InvalidArgumentResponse,
  type ItemsResponse,
  type NotFoundResponse,
  type NotLeaderResponse,
  OK_RESPONSE_KIND,
  type OkResponse,
  type RangeMovedResponse,
  type RefusalResponse,
  type Response,
  type RoleResponse,
  type ScanItem,
  type TextResponse,
  type ValueResponse,
  type VersionResponse,
} from './protocol/response.ts';
export {
  FRAME_HEADER_BYTES,
  MAX_DECODED_SCAN_ITEMS,
  MAX_FRAME_BYTES,
  MAX_SCAN_ITEMS,
  MAX_TOKEN_BYTES,
  MAX_UNAUTHENTICATED_FRAME_BYTES,
  OPCODE,
  type Opcode,
  PROTOCOL_VERSION,
  SCAN_ANSWER_OVERHEAD_BYTES,
  SCAN_ITEM_OVERHEAD_BYTES,
  SCAN_TOO_LARGE_TEXT,
  STATUS,
  type Status,
  UNAUTHORIZED_TEXTS,
} from './protocol/wire-format.ts';
export type {
  DecodedRequest2,
  Freshness,
  Request2,
  RequestEnvelope2,
  RequestHeader2,
  RequestKind2,
  RowRange,
  ScanRequest2,
  UnsupportedRequest2,
} from './protocol-2/request.ts';
export {
  HEALTH_ROLES,
  OK_RESPONSE_KIND_2,
  type OkResponse2,
  type Page,
  type PageRow,
  type Refusal2,
  type RefusalOutcome,
  type Response2,
  type Row2,
} from './protocol-2/response.ts';
export type { SessionPlace, Write, WriteAnswer, WriteCondition, WriteOperation } from './protocol-2/write.ts';
export { decodeRequest2 } from './protocol-2/decode-request-2.ts';
export { decodeResponse2 } from './protocol-2/decode-response-2.ts';
export { encodeRequest2 } from './protocol-2/encode-request-2.ts';
export { encodeResponse2 } from './protocol-2/encode-response-2.ts';
export { decodeRequestHeader2, decodeResponseId2 } from './protocol-2/frame-2.ts';
export {
  answerHello,
  type HelloAnswer,
  type HelloCircumstances,
  type SpokenVersion,
  versionBehindHello,
} from './protocol-2/hello.ts';
export {
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_ROWS,
  MAX_ADDRESS_BYTES,
  MAX_GET_MANY_KEYS,
  MAX_PAGE_BYTES,
  MAX_PAGE_ROWS,
  OPCODE_2,
  type Opcode2,
  PROTOCOL_VERSION_2,
  REQUEST_HEADER_BYTES_2,
  RESPONSE_HEADER_BYTES_2,
  SCAN_IDLE_MS,
  STATUS_2,
} from './protocol-2/wire-format-2.ts';
export { ByteCounter, type ByteSink } from './protocol-2/byte-sink.ts';
export { decodeConditions, encodeConditions, measureConditions, writeConditions } from './protocol-2/conditions.ts';
export { decodeOperations, encodeOperations, measureOperations, writeOperations } from './protocol-2/operations.ts';
export {
  MAX_COMMAND_BYTES,
  MAX_COMMAND_OPERATIONS,
  MAX_USER_KEY_BYTES,
  MAX_USER_VALUE_BYTES,
  MAX_WRITE_BYTES,
} from './protocol-2/write-format.ts';
