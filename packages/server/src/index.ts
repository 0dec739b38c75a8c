export { type BindRequest, type BindVerdict, checkBind } from './access/bind-guard.ts';
export { type AddressScope, classifyAddress } from './access/ip-address.ts';
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from './limits.ts';
export type { LogFields, Logger } from './logger.ts';
export { type NodeOptions, type RunningNode, startNode, type StopOptions } from './node.ts';
export { ServerError, type ServerErrorCode } from './server-error.ts';
