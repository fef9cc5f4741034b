/* test_safetensors.c — files written and read back, and files that lie. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(path, "/tmp/ursa-test-XXXXXX");
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void test_round_trip(void **state)
{
    (void)state;
    const float a[] = {1, -2, 3.5f, 0, 5, 6};
    const int64_t b[] = {INT64_MIN, 7};
    const ursa_stored_tensor tensors[] = {
        {"a.weight", URSA_F32, ursa_shape(2, 3), a, sizeof a},
        {"b", URSA_I64, ursa_shape(2), b, sizeof b},
        {"nothing", URSA_U8, ursa_shape(0, 4), "", 0},
        {"scalar", URSA_F32, ursa_shape(), a, sizeof *a},
    };
    assert_true(ursa_safetensors_write(path, tensors, 4, &(ursa_metadata){"key", "a \"value\""}, 1));
    ursa_safetensors *file = ursa_safetensors_open(path);
    assert_non_null(file);
    assert_int_equal(ursa_safetensors_count(file), 4);
    for (int i = 0; i < 4; i++) {
        const ursa_stored_tensor *found = ursa_safetensors_find(file, tensors[i].name);
        assert_ptr_equal(found, ursa_safetensors_at(file, i));
        assert_int_equal(found->dtype, tensors[i].dtype);
        assert_int_equal(found->shape.ndim, tensors[i].shape.ndim);
        assert_int_equal(found->bytes, tensors[i].bytes);
        assert_memory_equal(found->data, tensors[i].data, found->bytes);
    }
    assert_null(ursa_safetensors_find(file, "c"));
    assert_string_equal(ursa_safetensors_metadata(file, "key"), "a \"value\"");
    assert_null(ursa_safetensors_metadata(file, "other"));
    ursa_safetensors_close(file);
}

/* The body is 16 bytes long. */
static void assert_refused(const char *header, const char *expected)
{
    char file[1024] = {0};
    size_t length = strlen(header);
    file[0] = (char)(length & 0xff);
    file[1] = (char)(length >> 8);
    memcpy(file + 8, header, length);
    assert_null(ursa_safetensors_parse(file, 8 + length + 16, "f"));
    if (!ursa_error() || !strstr(ursa_error(), expected))
        fail_msg("%s: expected \"%s\", found \"%s\"", header, expected, ursa_error());
    ursa_clear_error();
}

#define ENTRY(dtype, shape, offsets) "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void test_lies(void **state)
{
    (void)state;
    assert_refused("[]", "no JSON object");
    assert_refused("{\"t\":", "no JSON object");
    assert_refused("{\"t\":1}", "expected an object");
    assert_refused(ENTRY("\"F64\"", "[2]", "[0,16]"), "dtype is none of");
    assert_refused(ENTRY("3", "[2]", "[0,8]"), "dtype is none of");
    assert_refused(ENTRY("\"F32\"", "[-1]", "[0,4]"), "shape is no list");
    assert_refused(ENTRY("\"F32\"", "[1.5]", "[0,4]"), "shape is no list");
    assert_refused(ENTRY("\"F32\"", "[1,1,1,1,1,1,1]", "[0,4]"), "shape is no list");
    assert_refused(ENTRY("\"F32\"", "[4294967296,4294967296,4294967296]", "[0,16]"), "shape is no list");
    assert_refused(ENTRY("\"F32\"", "[9007199254740992,1024]", "[0,16]"), "another size");
    assert_refused(ENTRY("\"F32\"", "[4]", "[0,20]"), "outside the file");
    assert_refused(ENTRY("\"F32\"", "[4]", "[16,0]"), "outside the file");
    assert_refused(ENTRY("\"F32\"", "[4]", "[0]"), "no pair");
    assert_refused(ENTRY("\"F32\"", "[3]", "[0,16]"), "another size");
    assert_refused("{\"__metadata__\":{\"a\":1}}", "no object of strings");
    assert_null(ursa_safetensors_parse("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "f"));
    assert_non_null(strstr(ursa_error(), "f: not a safetensors file"));
    ursa_clear_error();
}

static void test_parameters_that_do_not_fit(void **state)
{
    (void)state;
    ursa_module *small = ursa_nn_linear(3, 2), *large = ursa_nn_linear(4, 2),
                *deep = ursa_nn_sequential(ursa_nn_linear(3, 2));
    assert_true(ursa_save_parameters(small, path, NULL, 0));
    ursa_safetensors *file = ursa_safetensors_open(path);
    assert_true(ursa_load_parameters(small, file));
    assert_false(ursa_load_parameters(large, file));
    assert_string_equal(ursa_error(), "tensor \"weight\" is [2, 3] in the file, expected [2, 4]");
    ursa_clear_error();
    assert_false(ursa_load_parameters(deep, file));
    assert_string_equal(ursa_error(), "the file has no tensor \"0.weight\"");
    ursa_clear_error();
    ursa_safetensors_close(file);
    ursa_module_free(small);
    ursa_module_free(large);
    ursa_module_free(deep);
}

static void test_an_abandoned_file_changes_nothing(void **state)
{
    (void)state;
    char text[8] = {0};
    ursa_file_writer *writer = ursa_file_writer_open(path);
    assert_true(ursa_file_writer_write(writer, "old", 3) && ursa_file_writer_commit(writer));
    writer = ursa_file_writer_open(path);
    assert_true(ursa_file_writer_write(writer, "new", 3));
    ursa_file_writer_abandon(writer);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(text, 1, sizeof text, file), 3);
    fclose(file);
    assert_string_equal(text, "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, make_path, remove_path),
        cmocka_unit_test(test_lies),
        cmocka_unit_test_setup_teardown(test_parameters_that_do_not_fit, make_path, remove_path),
        cmocka_unit_test_setup_teardown(test_an_abandoned_file_changes_nothing, make_path, remove_path),
    };
    return run_unit_tests("io", tests);
}
