/* lanes.cl — LANES neighbouring floats as one vector (-DLANES=1, 4 or 8): what
 * a work item of a GPU, and much more so of a CPU, reads and computes at once.
 */

#if LANES == 1
typedef float lanes;
typedef int lanes_int;
#define lanes_load(p) (*(p))
#define lanes_store(v, p) (*(p) = (v))
#else
typedef PASTE(float, LANES) lanes;
typedef PASTE(int, LANES) lanes_int;
#define lanes_load(p) PASTE(vload, LANES)(0, p)
#define lanes_store(v, p) PASTE(vstore, LANES)(v, 0, p)
#endif
/* ---- elements of any float type ------------------------------------------ *
 * LANES neighbouring elements of type -DT, as floats, at p + i and back: elems_load(T, p, i)
 * and elems_store(T, v, p, i). */
#define elems_load(type, p, i) PASTE(elems_load_, type)(p, i)
#define elems_store(type, v, p, i) PASTE(elems_store_, type)(v, p, i)

static inline lanes elems_load_f32(global const float *p, int i)
{
    return lanes_load(p + i);
}

static inline void elems_store_f32(lanes v, global float *p, int i)
{
    lanes_store(v, p + i);
}

#if LANES == 1
typedef uint lanes_bits;
#define lanes_as_bits as_uint
#define lanes_as_floats as_float
#define lanes_widen(p) ((uint)*(p))
#define lanes_narrow(v, p) (*(p) = (ushort)(v))
#define lanes_load_half(p) vload_half(0, p)
#define lanes_store_half(v, p) vstore_half_rte(v, 0, p)
#else
typedef PASTE(uint, LANES) lanes_bits;
#define lanes_as_bits PASTE(as_uint, LANES)
#define lanes_as_floats PASTE(as_float, LANES)
#define lanes_widen(p) PASTE(convert_uint, LANES)(PASTE(vload, LANES)(0, p))
#define lanes_narrow(v, p) PASTE(vstore, LANES)(PASTE(convert_ushort, LANES)(v), 0, p)
#define lanes_load_half(p) PASTE(vload_half, LANES)(0, p)
#define lanes_store_half(v, p) PASTE(PASTE(vstore_half, LANES), _rte)(v, 0, p)
#endif

static inline lanes elems_load_f16(global const ushort *p, int i)
{
    return lanes_load_half((global const half *)(p + i));
}

static inline void elems_store_f16(lanes v, global ushort *p, int i)
{
    lanes_store_half(v, (global half *)(p + i));
}

static inline lanes elems_load_bf16(global const ushort *p, int i)
{
    return lanes_as_floats(lanes_widen(p + i) << 16);
}

/* To nearest, ties to even; what is not a number stays so, made quiet. */
static inline void elems_store_bf16(lanes v, global ushort *p, int i)
{
    lanes_bits bits = lanes_as_bits(v);
    lanes_bits rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    lanes_narrow(select(rounded, bits >> 16 | 0x40u, (bits & 0x7fffffffu) > 0x7f800000u), p + i);
}
