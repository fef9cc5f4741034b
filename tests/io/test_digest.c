/* test_digest.c — SHA-256 and MD5 against the examples of FIPS 180-4, NIST and RFC 1321; sizes in words. */
#include "../unit.h"

#include "io/digest.h"
#include "io/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Added in pieces of `step` bytes. */
static void assert_digest(ursa_digest_kind kind, const char *text, size_t step, const char *expected)
{
    char found[URSA_DIGEST_TEXT];
    ursa_digest digest;
    ursa_digest_begin(&digest, kind);
    for (size_t at = 0, length = strlen(text); at < length; at += step)
        ursa_digest_add(&digest, text + at, length - at < step ? length - at : step);
    ursa_digest_end(&digest, found);
    assert_string_equal(found, expected);
}

static void test_examples(void **state)
{
    (void)state;
    static const char long_text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    for (size_t step = 1; step < 70; step += 7) {
        assert_digest(URSA_SHA256, "", step, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_digest(URSA_SHA256, "abc", step, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_digest(URSA_SHA256, long_text, step, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        assert_digest(URSA_MD5, "", step, "d41d8cd98f00b204e9800998ecf8427e");
        assert_digest(URSA_MD5, "message digest", step, "f96b697d7cb7938d525a2f31aaf161d0");
        assert_digest(URSA_MD5, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", step,
                      "d174ab98d277d9f5a5611c2c9f419d9f");
    }
}

/* A million times "a" (FIPS 180-4's third example), from a file; and its beginning. */
static void test_files(void **state)
{
    (void)state;
    char path[] = "/tmp/ursa-test-XXXXXX", found[URSA_DIGEST_TEXT];
    FILE *file = fdopen(mkstemp(path), "w");
    for (int i = 0; i < 1000000; i++)
        fputc('a', file);
    fclose(file);
    assert_true(ursa_digest_file(path, URSA_SHA256, 0, found));
    assert_string_equal(found, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_true(ursa_digest_file(path, URSA_MD5, 0, found));
    assert_string_equal(found, "7707d6ae4e027c70eea2a935c2296f21");
    assert_true(ursa_digest_file(path, URSA_MD5, 1, found));
    assert_string_equal(found, "0cc175b9c0f1b6a831c399e269772661");
    unlink(path);
    assert_false(ursa_digest_file(path, URSA_MD5, 0, found));
    assert_non_null(strstr(ursa_error(), path));
    ursa_clear_error();
}

static void test_what_counts_as_one(void **state)
{
    (void)state;
    assert_true(ursa_digest_valid("d41d8cd98f00b204e9800998ECF8427E", URSA_MD5));
    assert_false(ursa_digest_valid("d41d8cd98f00b204e9800998ecf8427", URSA_MD5));
    assert_false(ursa_digest_valid("d41d8cd98f00b204e9800998ecf8427g", URSA_MD5));
    /* Of a SHA-256 its beginning is enough. */
    assert_true(ursa_digest_valid("f37072fd", URSA_SHA256));
    assert_false(ursa_digest_valid("f37072f", URSA_SHA256));
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } sizes[] = {{0, "0 bytes"},          {1, "1 byte"},          {999, "999 bytes"},
                 {1000, "1.0 kB"},        {999949, "999.9 kB"},   {999950, "1.0 MB"},
                 {811706944, "811.7 MB"}, {5686607260, "5.7 GB"}, {INT64_MAX, "9.2 EB"}};
    char text[URSA_SIZE_TEXT];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_string_equal(ursa_size_text(sizes[i].bytes, text), sizes[i].text);
}

static void test_folders(void **state)
{
    (void)state;
    char top[] = "/tmp/ursa-test-XXXXXX", path[128], link[128];
    assert_non_null(mkdtemp(top));
    snprintf(path, sizeof path, "%s/a/b//c/", top);
    assert_true(ursa_make_folders(path) && ursa_make_folders(path) && ursa_is_folder(path));
    snprintf(path, sizeof path, "%s/file", top);
    fclose(fopen(path, "w"));
    assert_false(ursa_make_folders(path));
    assert_non_null(strstr(ursa_error(), "a file has its name"));
    ursa_clear_error();
    /* A link is removed, what it leads to stays. */
    snprintf(link, sizeof link, "%s/a/b/link", top);
    assert_int_equal(symlink("../..", link), 0);
    snprintf(link, sizeof link, "%s/a", top);
    assert_true(ursa_remove_tree(link));
    assert_false(ursa_is_folder(link));
    assert_int_equal(ursa_file_bytes(path), 0);
    assert_true(ursa_remove_tree(top) && ursa_remove_tree(top));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_files),   cmocka_unit_test(test_what_counts_as_one),
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_folders),
    };
    return run_unit_tests("digest", tests);
}
