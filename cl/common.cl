/* common.cl — element types as every kernel sees them, in OpenCL C 1.2 without
 * extensions.
 *
 * A type has a token (f32, f16, bf16, i32, i64, u8, b8), what it is stored as
 * (ELEM), and what it is computed in (CALC): the halves are stored as 16 bits
 * and computed in float. Kernels are compiled with -DT=<token>.
 */
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

typedef float elem_f32;
typedef ushort elem_f16;
typedef ushort elem_bf16;
typedef int elem_i32;
typedef long elem_i64;
typedef uchar elem_u8;
typedef uchar elem_b8;

typedef float calc_f32;
typedef float calc_f16;
typedef float calc_bf16;
typedef int calc_i32;
typedef long calc_i64;
typedef uchar calc_u8;
typedef uchar calc_b8;

#define ELEM(type) PASTE(elem_, type)
#define CALC(type) PASTE(calc_, type)

/* An array as an argument: pointer and offset in elements. LOCATE comes first
 * in the kernel. */
#define INPUT(type, name) global const ELEM(type) *name, long name##_offset
#define OUTPUT(type, name) global ELEM(type) *name, long name##_offset
#define LOCATE(name) name += name##_offset

/* ---- loads and stores ---------------------------------------------------- */

#define LOAD(type, pointer, index) PASTE(load_, type)(pointer, index)
#define STORE(type, pointer, index, value) PASTE(store_, type)(pointer, index, value)

#define PLAIN(type)                                                                                                    \
    static inline CALC(type) PASTE(load_, type)(global const ELEM(type) * p, int i)                                    \
    {                                                                                                                  \
        return p[i];                                                                                                   \
    }                                                                                                                  \
    static inline void PASTE(store_, type)(global ELEM(type) * p, int i, CALC(type) value)                             \
    {                                                                                                                  \
        p[i] = value;                                                                                                  \
    }
PLAIN(f32)
PLAIN(i32)
PLAIN(i64)
PLAIN(u8)
PLAIN(b8)

static inline float load_f16(global const ushort *p, int i)
{
    return vload_half(0, (global const half *)(p + i));
}

static inline void store_f16(global ushort *p, int i, float value)
{
    vstore_half_rte(value, 0, (global half *)(p + i));
}

static inline float load_bf16(global const ushort *p, int i)
{
    return as_float((uint)p[i] << 16);
}

/* To nearest, ties to even. */
static inline void store_bf16(global ushort *p, int i, float value)
{
    uint bits = as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        p[i] = (ushort)(bits >> 16 | 0x40u); /* stays not a number */
    else
        p[i] = (ushort)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/* ---- views --------------------------------------------------------------- */

/* The merged axes of an elementwise operator; twin of struct ursa_cl_axes.
 * Compiled with -DNDIM=<axes>, or 0 where all operands are contiguous. */
typedef struct {
    int count;
    int shape[6];
    int stride[5][6];
} loop_t;

#ifdef NDIM
#if NDIM == 0
#define LOOP_INDEX(loop, operand, i) (i)
#else
/* Where element i (row-major) of an operand is. */
static inline int loop_index(const loop_t *loop, int operand, int i)
{
    int at = 0;
#pragma unroll
    for (int axis = NDIM - 1; axis > 0; axis--) {
        int rest = i / loop->shape[axis];
        at += (i - rest * loop->shape[axis]) * loop->stride[operand][axis];
        i = rest;
    }
    return at + i * loop->stride[operand][0];
}
#define LOOP_INDEX(loop, operand, i) loop_index(&(loop), operand, i)
#endif
#endif

/* ---- faults --------------------------------------------------------------- */

/* Arguments for ursa_cl_fault(): `FAULT_ARGUMENTS` in the list, then
 * `if (!in_range(index, FAULT_PASS)) …` which reports the first index outside
 * 0 … limit - 1 and lets the kernel go around it. */
#define FAULT_ARGUMENTS global int *fault, int fault_code, int limit
#define FAULT_PASS fault, fault_code, limit

static inline bool in_range(long index, FAULT_ARGUMENTS)
{
    if (index >= 0 && index < limit)
        return true;
    if (atomic_cmpxchg(fault, 0, fault_code) == 0)
        fault[1] = (int)index;
    return false;
}
