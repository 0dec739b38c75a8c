export { BufferedConnection, type ByteStream, type StreamEvents } from '../buffered-connection.ts';
export { MemoryNetwork, type MemoryNetworkOptions } from './memory-network.ts';
export { makeTestCertificate, type TestCertificate, type TestCertificateOptions } from './test-certificates.ts';
export { type SampleSource, type TransportDecoder, transportDecoders } from './decoders.ts';
