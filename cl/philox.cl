/* philox.cl — Philox4x32-10, twin of src/base/philox.h. */

static inline uint4 philox(ulong key, ulong counter)
{
    uint2 k = (uint2)((uint)key, (uint)(key >> 32));
    uint4 c = (uint4)((uint)counter, (uint)(counter >> 32), 0, 0);
    for (int round = 0; round < 10; round++) {
        /* Whole products: mul_hi() is a slow function with some compilers. */
        ulong p0 = (ulong)0xD2511F53u * c.x, p1 = (ulong)0xCD9E8D57u * c.z;
        c = (uint4)((uint)(p1 >> 32) ^ c.y ^ k.x, (uint)p1, (uint)(p0 >> 32) ^ c.w ^ k.y, (uint)p0);
        k += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

/* 24 bits of a word as a number in [0, 1). */
static inline float philox_uniform(uint word)
{
    return (float)(word >> 8) * 0x1p-24f;
}
