/* The caching allocator, buffers, and the choice of a device. */
#include "../unit.h"
#include "device/allocator.h"
#include "device/backend.h"
#include <stdlib.h>
#include <string.h>

/* A device that counts, and that has as much memory as the test says. */
static struct {
    struct ursa_device base;
    size_t held, limit;
    int asked;
} counting;

static void *allocate(ursa_device *device, size_t bytes)
{
    (void)device;
    counting.asked++;
    if (counting.held + bytes > counting.limit)
        return NULL;
    counting.held += bytes;
    return malloc(bytes);
}

static void release(ursa_device *device, void *handle, size_t bytes)
{
    (void)device;
    counting.held -= bytes;
    free(handle);
}

static bool write_elements(ursa_device *device, ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data,
                           int64_t count)
{
    (void)device;
    size_t size = ursa_dtype_size(dtype);
    memcpy((char *)buffer->handle + (size_t)offset * size, data, (size_t)count * size);
    return true;
}

static bool read_elements(ursa_device *device, const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data,
                          int64_t count)
{
    (void)device;
    size_t size = ursa_dtype_size(dtype);
    memcpy(data, (char *)buffer->handle + (size_t)offset * size, (size_t)count * size);
    return true;
}

static bool sync(ursa_device *device)
{
    (void)device;
    return true;
}

static const struct ursa_backend backend = {
    .name = "counting",
    .allocate = allocate,
    .release = release,
    .write = write_elements,
    .read = read_elements,
    .sync = sync,
};

static ursa_device *device(void)
{
    ursa_device *opened = &counting.base;
    if (!opened->allocator) {
        counting.limit = 1 << 20;
        opened->backend = &backend;
        opened->info = (ursa_device_info){.id = "counting", .name = "a test", .driver = "tests", .level = "none"};
        assert_true(ursa_device_register(opened));
    }
    ursa_device_trim(opened);
    counting.asked = 0;
    return opened;
}

static void memory_is_used_again(void **state)
{
    (void)state;
    ursa_device *d = device();
    ursa_buffer *buffer = ursa_buffer_new(d, URSA_F32, 1000);
    assert_true(buffer->bytes >= 4000 && buffer->bytes <= 4000 * 9 / 8 + 64);
    assert_int_equal(ursa_device_memory(d).used, buffer->bytes);
    void *handle = buffer->handle;
    size_t bytes = buffer->bytes;
    ursa_buffer_release(buffer);
    assert_int_equal(ursa_device_memory(d).used, 0);
    assert_int_equal(ursa_device_memory(d).cached, bytes);
    buffer = ursa_buffer_new(d, URSA_I32, 999); /* the same class */
    assert_ptr_equal(buffer->handle, handle);
    assert_int_equal(counting.asked, 1);
    ursa_buffer_retain(buffer);
    ursa_buffer_release(buffer);
    assert_int_equal(ursa_device_memory(d).used, bytes);
    ursa_buffer_release(buffer);
    ursa_buffer_release(NULL);
    ursa_device_trim(d);
    assert_int_equal(counting.held, 0);
    assert_int_equal(ursa_device_memory(d).cached, 0);
}

/* What tools see then: each step outside, and what nobody has written. */
static void waste_is_exact_and_used_once(void **state)
{
    (void)state;
    struct ursa_device wasteful = {.backend = &backend, .info = device()->info};
    size_t held = counting.held;
    setenv("URSA_WASTE", "1", 1);
    wasteful.allocator = ursa_allocator_new();
    unsetenv("URSA_WASTE");
    ursa_buffer *buffer = ursa_buffer_new(&wasteful, URSA_F32, 33);
    void *handle = buffer->handle;
    assert_int_equal(buffer->bytes, 132);
    ursa_buffer_release(buffer);
    ursa_device_trim(&wasteful);
    buffer = ursa_buffer_new(&wasteful, URSA_F32, 33);
    assert_ptr_not_equal(buffer->handle, handle);
    assert_int_equal(ursa_device_memory(&wasteful).used, 132);
    assert_int_equal(counting.held, held + 264);
    ursa_buffer_release(buffer);
    ursa_allocator_close(&wasteful);
    assert_int_equal(counting.held, held);
}

static void every_size_fits_its_class(void **state)
{
    (void)state;
    ursa_device *d = device();
    for (int64_t count = 0; count < 5000; count += 7) {
        ursa_buffer *buffer = ursa_buffer_new(d, URSA_U8, count);
        assert_true((int64_t)buffer->bytes >= count && (int64_t)buffer->bytes <= count + count / 8 + 64);
        assert_int_equal(buffer->bytes % 64, 0);
        ursa_buffer_release(buffer);
    }
}

static void the_peak_is_kept(void **state)
{
    (void)state;
    ursa_device *d = device();
    ursa_device_reset_peak(d);
    ursa_buffer *a = ursa_buffer_new(d, URSA_U8, 1024), *b = ursa_buffer_new(d, URSA_U8, 2048);
    ursa_buffer_release(a);
    ursa_buffer_release(b);
    assert_int_equal(ursa_device_memory(d).peak, 3072);
    ursa_device_reset_peak(d);
    assert_int_equal(ursa_device_memory(d).peak, 0);
}

/* Cached memory of other sizes makes room; what cannot be had is an error that
 * says what was wanted and what is held. */
static void out_of_memory(void **state)
{
    (void)state;
    ursa_device *d = device();
    ursa_buffer *big = ursa_buffer_new(d, URSA_U8, 768 << 10);
    ursa_buffer_release(big);
    ursa_buffer *half = ursa_buffer_new(d, URSA_U8, 512 << 10);
    assert_non_null(half);
    assert_int_equal(counting.asked, 3); /* refused, trimmed, given */
    assert_null(ursa_buffer_new(d, URSA_U8, 768 << 10));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_MEMORY);
    assert_string_equal(ursa_error(), "counting is out of memory: wanted 0.8 MiB for u8 [786432], with 0.5 MiB in use");
    ursa_clear_error();
    assert_null(ursa_buffer_new(d, URSA_F32, INT64_MAX));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_MEMORY);
    ursa_clear_error();
    ursa_buffer_release(half);
}

static void copies_stay_inside(void **state)
{
    (void)state;
    ursa_device *d = device();
    ursa_buffer *buffer = ursa_buffer_new(d, URSA_I32, 16);
    int32_t in[3] = {1, 2, 3}, out[3] = {0};
    uint64_t waits = ursa_device_waits(d);
    assert_true(ursa_buffer_write(buffer, 13, URSA_I32, in, 3));
    assert_true(ursa_buffer_read(buffer, 13, URSA_I32, out, 3));
    assert_memory_equal(in, out, sizeof in);
    assert_int_equal(ursa_device_waits(d), waits + 1);
    assert_false(ursa_buffer_write(buffer, 14, URSA_I32, in, 3));
    assert_string_equal(ursa_error(), "write of elements 14 … 17 in a buffer of 16");
    ursa_clear_error();
    assert_false(ursa_buffer_read(buffer, -1, URSA_I32, out, 3));
    ursa_clear_error();
    ursa_buffer_release(buffer);
}

static void a_missing_operator_is_an_error(void **state)
{
    (void)state;
    ursa_device *d = device();
    ursa_buffer *buffer = ursa_buffer_new(d, URSA_F32, 4);
    struct ursa_fill_args args = {.out = {.buffer = buffer, .dtype = URSA_F32, .ndim = 1, .shape = {4}, .stride = {1}}};
    assert_false(ursa_op_fill(d, &args));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_UNSUPPORTED);
    assert_string_equal(ursa_error(), "fill is not available on counting");
    ursa_clear_error();
    args.out.shape[0] = 0; /* nothing to do, by whomever */
    assert_true(ursa_op_fill(d, &args));
    ursa_buffer_release(buffer);
}

/* ---- choosing ------------------------------------------------------------------------------------- */

static void devices_by_name(void **state)
{
    (void)state;
    ursa_device *d = device();
    assert_ptr_equal(ursa_device_open("counting"), d);
    assert_ptr_equal(ursa_device_open("A TeSt"), d); /* part of the name, whatever its case */
    ursa_device *cpu = ursa_device_open("cpu");
    assert_string_equal(ursa_device_id(cpu), "cpu");
    assert_ptr_equal(ursa_device_open("CPU"), cpu);
    setenv("URSA_DEVICE", "counting", 1);
    assert_ptr_equal(ursa_device_open(NULL), d);
    setenv("URSA_DEVICE", "", 1);
    assert_non_null(ursa_device_open(NULL));
    unsetenv("URSA_DEVICE");
    assert_ptr_equal(ursa_device_open("auto"), ursa_device_open(NULL));
    assert_true(ursa_set_default_device(d));
    assert_ptr_equal(ursa_default_device(), d);
    assert_true(ursa_set_default_device(cpu));
    assert_false(ursa_set_default_device(NULL));
}

static void unknown_devices_are_errors_that_list(void **state)
{
    (void)state;
    const char *wrong[] = {"opencl:99", "opencl:", "no such device"};
    device();
    for (int i = 0; i < 3; i++) {
        assert_null(ursa_device_open(wrong[i]));
        assert_int_equal(ursa_error_kind_of(), URSA_ERROR_DEVICE);
        assert_non_null(strstr(ursa_error(), wrong[i]));
        assert_non_null(strstr(ursa_error(), "; the devices here are: cpu ("));
        assert_non_null(strstr(ursa_error(), "counting (a test)"));
        ursa_clear_error();
    }
}

static void devices_are_described(void **state)
{
    (void)state;
    device();
    int count = ursa_device_count(), defaults = 0;
    assert_true(count >= 2);
    for (int i = 0; i < count; i++) {
        ursa_device_info info;
        assert_true(ursa_device_describe(i, &info));
        assert_non_null(info.id);
        assert_non_null(info.level);
        defaults += info.is_default;
    }
    assert_int_equal(defaults, 1);
    ursa_device_info info;
    assert_false(ursa_device_describe(count, &info));
    ursa_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waste_is_exact_and_used_once),
        cmocka_unit_test(memory_is_used_again),
        cmocka_unit_test(every_size_fits_its_class),
        cmocka_unit_test(the_peak_is_kept),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(copies_stay_inside),
        cmocka_unit_test(a_missing_operator_is_an_error),
        cmocka_unit_test(devices_by_name),
        cmocka_unit_test(unknown_devices_are_errors_that_list),
        cmocka_unit_test(devices_are_described),
    };
    return run_unit_tests("memory", tests);
}
