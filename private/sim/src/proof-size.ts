export { sized } from '@kayadb/testkit';
