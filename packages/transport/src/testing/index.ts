export { MemoryNetwork, type MemoryNetworkOptions } from './memory-network.ts';
export { makeTestCertificate, type TestCertificate, type TestCertificateOptions } from './test-certificates.ts';
export { type SampleSource, type TransportDecoder, transportDecoders } from './decoders.ts';
