/* lanes.cl — LANES neighbouring floats as one vector (-DLANES=1, 2, 4 or 8): what
 * a work item of a GPU, and much more so of a CPU, reads and computes at once.
 *
 * In global memory they are a whole vector, at a multiple of its size, which
 * ursa_cl_lanes() sees to: vload promises the compiler no more than elements, and some then
 * load one after the other.
 */

#if LANES == 1
typedef float lanes;
typedef int lanes_int;
typedef uint lanes_bits;
typedef ushort lanes_half;
typedef uchar lanes_bytes;
#define lanes_from(each)       (*(each))
#define lanes_to(v, each)      (*(each) = (v))
#define lanes_as_bits          as_uint
#define lanes_as_floats        as_float
#define lanes_widen(half_bits) ((uint)(half_bits))
#define lanes_narrow(bits)     ((ushort)(bits))
#define lanes_as_ints(bytes)   ((int)(bytes))
#define lanes_as_bytes(ints)   ((uchar)(ints))
#define lanes_of_half          vload_half
#define lanes_to_half          vstore_half_rte
#else
typedef PASTE(float, LANES) lanes;
typedef PASTE(int, LANES) lanes_int;
typedef PASTE(uint, LANES) lanes_bits;
typedef PASTE(ushort, LANES) lanes_half;
typedef PASTE(uchar, LANES) lanes_bytes;
#define lanes_from(each)  PASTE(vload, LANES)(0, each)
#define lanes_to(v, each) PASTE(vstore, LANES)(v, 0, each)
#define lanes_as_bits     PASTE(as_uint, LANES)
#define lanes_as_floats   PASTE(as_float, LANES)
#define lanes_widen       PASTE(convert_uint, LANES)
#define lanes_narrow      PASTE(convert_ushort, LANES)
#define lanes_as_ints     PASTE(convert_int, LANES)
#define lanes_as_bytes    PASTE(convert_uchar, LANES)
#define lanes_of_half     PASTE(vload_half, LANES)
#define lanes_to_half     PASTE(PASTE(vstore_half, LANES), _rte)
#endif

#define lanes_load(p)     (*(global const lanes *)(p))
#define lanes_store(v, p) (*(global lanes *)(p) = (v))

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

static inline lanes elems_load_f16(global const ushort *p, int i)
{
    lanes_half bits = *(global const lanes_half *)(p + i);
    return lanes_of_half(0, (const half *)&bits);
}

static inline void elems_store_f16(lanes v, global ushort *p, int i)
{
    lanes_half bits;
    lanes_to_half(v, 0, (half *)&bits);
    *(global lanes_half *)(p + i) = bits;
}

static inline lanes elems_load_bf16(global const ushort *p, int i)
{
    return lanes_as_floats(lanes_widen(*(global const lanes_half *)(p + i)) << 16);
}

/* To nearest, ties to even; what is not a number stays so, made quiet. */
static inline void elems_store_bf16(lanes v, global ushort *p, int i)
{
    lanes_bits bits = lanes_as_bits(v);
    lanes_bits rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    rounded = select(rounded, bits >> 16 | 0x40u, (bits & 0x7fffffffu) > 0x7f800000u);
    *(global lanes_half *)(p + i) = lanes_narrow(rounded);
}
