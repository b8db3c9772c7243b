/** Breaks product-without-tests. */
export { answer } from '../../../test/answer'
