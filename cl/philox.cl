/* philox.cl — Philox4x32-10, twin of src/base/philox.h. */

static inline uint4 philox(ulong key, ulong counter)
{
    uint2 k = (uint2)((uint)key, (uint)(key >> 32));
    uint4 c = (uint4)((uint)counter, (uint)(counter >> 32), 0, 0);
    for (int round = 0; round < 10; round++) {
        uint high0 = mul_hi(0xD2511F53u, c.x), low0 = 0xD2511F53u * c.x;
        uint high1 = mul_hi(0xCD9E8D57u, c.z), low1 = 0xCD9E8D57u * c.z;
        c = (uint4)(high1 ^ c.y ^ k.x, low1, high0 ^ c.w ^ k.y, low0);
        k += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

/* 24 bits of a word as a number in [0, 1). */
static inline float philox_uniform(uint word)
{
    return (float)(word >> 8) * 0x1p-24f;
}
