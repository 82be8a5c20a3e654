/**
 * The token of a grant that is a transaction of this number: a zxid, which rises over everything that may happen to
 * clients and servers. Zxids are dense, and a grant may one day reserve a range of tokens: hence the room between them.
 */
export const tokenOf = (zxid: bigint): bigint => zxid * 1_024n
