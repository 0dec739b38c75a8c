export { MemoryCluster, type MemoryClusterOptions, type MemoryNodeOptions } from './memory-cluster.ts';
