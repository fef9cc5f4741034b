/* create.cl — making arrays and converting them. */
#include "common.cl"
#include "philox.cl"

/* ---- fill and move: FILL and MOVE are any type of the element's size --------- */

#ifdef FILL
#define U_u8 uchar
#define U_f16 ushort
#define U_i32 uint
#define U_i64 ulong
kernel void fill(global PASTE(U_, FILL) * out, long out_offset, loop_t loop, long bits)
{
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count)
        out[LOOP_INDEX(loop, 0, i)] = (PASTE(U_, FILL))bits;
}
#endif

#ifdef MOVE
kernel void move(INPUT(MOVE, x), OUTPUT(MOVE, out), loop_t loop)
{
    LOCATE(x);
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count)
        out[LOOP_INDEX(loop, 1, i)] = x[LOOP_INDEX(loop, 0, i)];
}
#endif

/* ---- arange ------------------------------------------------------------------ */

#ifdef ARANGE
#define T ARANGE
kernel void arange_float(OUTPUT(T, out), int count, float start, float step)
{
    LOCATE(out);
    int i = get_global_id(0);
    if (i < count)
        STORE(T, out, i, (CALC(T))(start + i * step));
}

kernel void arange_integer(OUTPUT(T, out), int count, long start, long step)
{
    LOCATE(out);
    int i = get_global_id(0);
    if (i < count)
        STORE(T, out, i, (CALC(T))(start + i * step));
}

#endif

/* ---- random ------------------------------------------------------------------ */

#ifdef RANDOM
#define T RANDOM
static inline float4 uniform(uint4 w, float a, float b)
{
    return a + (b - a) * (convert_float4(w >> 8u) * 0x1p-24f);
}

static inline float4 bernoulli(uint4 w, float a, float b)
{
    return select((float4)(0.0f), (float4)(1.0f), convert_float4(w >> 8u) * 0x1p-24f < a);
}

/* Box and Muller. log1p(-u) is exact where 1 - u rounds; sinpi needs no π. */
static inline float4 normal(uint4 w, float a, float b)
{
    float2 r = sqrt(-2.0f * log1p(-(convert_float2(w.xz >> 8u) * 0x1p-24f)));
    float2 t = convert_float2(w.yw >> 8u) * 0x1p-23f;
    float2 even = r * cospi(t), odd = r * sinpi(t);
    return a + b * (float4)(even.x, odd.x, even.y, odd.y);
}

/* Each work item makes the four elements of one block, by -DDISTRIBUTION. */
kernel void random(OUTPUT(T, out), int count, long key, long counter, float a, float b)
{
    LOCATE(out);
    long block = get_global_id(0);
    if (block * 4 >= count)
        return;
    int at = (int)block * 4;
    uint4 w = philox((ulong)key, (ulong)(counter + block));
    float4 v = DISTRIBUTION(w, a, b);
    STORE(T, out, at, v.x);
    if (at + 1 < count)
        STORE(T, out, at + 1, v.y);
    if (at + 2 < count)
        STORE(T, out, at + 2, v.z);
    if (at + 3 < count)
        STORE(T, out, at + 3, v.w);
}
#endif

/* ---- copy: from type FROM to type TO --------------------------------------- */

#ifdef FROM
/* Floats truncate and saturate, NaN gives 0; integers keep their low bits. */
#define FROM_FLOAT(to, expression)                                                                                     \
    static inline to float_to_##to(float v)                                                                            \
    {                                                                                                                  \
        return isnan(v) ? (to)0 : expression;                                                                          \
    }
FROM_FLOAT(int, convert_int_sat_rtz(v))
FROM_FLOAT(long, convert_long_sat_rtz(v))
FROM_FLOAT(uchar, convert_uchar_sat_rtz(v))

#define TO_f32(v) ((float)(v))
#define TO_f16(v) ((float)(v))
#define TO_bf16(v) ((float)(v))
#define TO_b8(v) ((v) != 0 ? (uchar)1 : (uchar)0)
#ifdef FROM_IS_FLOAT
#define TO_i32(v) float_to_int(v)
#define TO_i64(v) float_to_long(v)
#define TO_u8(v) float_to_uchar(v)
#else
#define TO_i32(v) ((int)(v))
#define TO_i64(v) ((long)(v))
#define TO_u8(v) ((uchar)(v))
#endif

kernel void copy(INPUT(FROM, x), OUTPUT(TO, out), loop_t loop)
{
    LOCATE(x);
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count) {
        CALC(FROM) v = LOAD(FROM, x, LOOP_INDEX(loop, 0, i));
        STORE(TO, out, LOOP_INDEX(loop, 1, i), PASTE(TO_, TO)(v));
    }
}
#endif
