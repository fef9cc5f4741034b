/* test_steps.c — the steps of a data block by themselves: listers, splitters, getters. */
#include "../folder.h"
#include "../unit.h"
#include "../loaders.h"
#include "table.h"

#include <math.h>

/* ---- finding items ------------------------------------------------------------------ */

static folder some_files(void)
{
    static const char *const names[] = {"top.JPG",    "b/2.png",     "b/1.jpeg",     "a/3.png",    "a/.hidden.png",
                                        ".git/4.png", "a/notes.txt", "a/deep/5.gif", "c.png/6.bmp"};
    folder made = folder_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        folder_write(&made, names[i], "x", 1);
    return made;
}

/* The first field of what is found, joined by spaces, without the folder's path. */
struct listing {
    char text[512];
    size_t root;
    int count;
};

static bool note_item(void *context, const ursa_data_item *item, ursa_found *found)
{
    struct listing *listing = context;
    snprintf(listing->text + strlen(listing->text), sizeof listing->text - strlen(listing->text), "%s%s",
             listing->count++ ? " " : "", item->path + listing->root);
    return ursa_found_add_number(found, listing->count);
}

static const char *list(const folder *where, ursa_lister lister)
{
    static struct listing listing;
    ursa_dataset *train, *valid;
    listing = (struct listing){.root = strlen(where->path) + 1};
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_items = lister,
                           .get_x = ursa_label_function(note_item, &listing), .splitter = ursa_no_splitter);
    bool made = ursa_datablock_datasets(block, where->path, &train, &valid);
    assert_null(valid);
    if (made)
        assert_int_equal(ursa_dataset_count(train), listing.count);
    ursa_dataset_free(train);
    ursa_datablock_free(block);
    return made ? listing.text : NULL;
}

static void test_listers(void **state)
{
    (void)state;
    folder made = some_files();
    assert_int_equal(mkfifo(folder_path(&made, "a/pipe.png"), 0600), 0);
    assert_string_equal(list(&made, ursa_get_image_files), "a/3.png a/deep/5.gif b/1.jpeg b/2.png c.png/6.bmp top.JPG");
    assert_string_equal(list(&made, ursa_get_files()),
                        "a/3.png a/deep/5.gif a/notes.txt b/1.jpeg b/2.png c.png/6.bmp top.JPG");
    assert_string_equal(list(&made, ursa_get_files(.extensions = ursa_names(".txt", ".gif"))),
                        "a/deep/5.gif a/notes.txt");
    assert_string_equal(list(&made, ursa_get_files(.folders = ursa_names("b", "c.png"))),
                        "b/1.jpeg b/2.png c.png/6.bmp");
    assert_string_equal(list(&made, ursa_get_files(.not_recursive = true)), "top.JPG");
    assert_fails(list(&made, ursa_get_files(.extensions = ursa_names(".wav"))),
                 "no files: expected names that end in .wav");
    folder_remove(&made);
    assert_fails(list(&made, ursa_get_image_files), "cannot be read");
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block()});
    assert_fails(ursa_dataloaders_new_opt(block, &(ursa_source){.items = (ursa_data_item[1]){{0}}},
                                          &(ursa_dataloaders_options){0}),
                 "there are no items");
    ursa_datablock_free(block);
}

static bool three_items(void *context, const ursa_source *source, ursa_item_list *items)
{
    (void)context;
    for (int i = 0; i < 3; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%d", source->path, i);
        if (!ursa_item_list_add(items, &(ursa_data_item){.path = path}))
            return false;
    }
    return true;
}

static void test_own_lister(void **state)
{
    (void)state;
    folder made = folder_new();
    assert_string_equal(list(&made, ursa_get_by_function(three_items, NULL)), "0 1 2");
    folder_remove(&made);
}

/* ---- splitters ------------------------------------------------------------------------- */

/* The part of each item, as a text of t, v and -. */
static const char *split(ursa_splitter splitter, const char *const *paths, int64_t count)
{
    static char text[128];
    ursa_data_item items[100] = {0};
    ursa_part parts[100] = {0};
    for (int64_t i = 0; i < count; i++)
        items[i] = (ursa_data_item){.path = paths ? paths[i] : NULL};
    if (!splitter.split(&splitter, items, count, parts))
        return NULL;
    for (int64_t i = 0; i < count; i++)
        text[i] = "tv-"[parts[i]];
    text[count] = '\0';
    return text;
}

static void test_random_splitter(void **state)
{
    (void)state;
    char first[128], other[128];
    int held_out = 0, moved = 0;
    snprintf(first, sizeof first, "%s", split(ursa_random_splitter(.valid_pct = 0.3, .seed = 1), NULL, 99));
    snprintf(other, sizeof other, "%s", split(ursa_random_splitter(.valid_pct = 0.3, .seed = 2), NULL, 99));
    assert_string_equal(first, split(ursa_random_splitter(.valid_pct = 0.3, .seed = 1), NULL, 99));
    for (int i = 0; i < 99; i++) {
        held_out += first[i] == 'v';
        moved += first[i] != other[i];
    }
    assert_int_equal(held_out, 29);
    assert_true(moved > 20);
    held_out = 0;
    for (const char *part = split(ursa_random_splitter(), NULL, 10); *part; part++)
        held_out += *part == 'v';
    assert_int_equal(held_out, 2);
    /* The same items as ursa_random_split() holds out. */
    ursa_dataset *whole = unbalanced(99), *train, *valid;
    assert_true(ursa_random_split(whole, 0.3, 1, &train, &valid));
    for (int64_t i = 0; i < ursa_dataset_count(valid); i++) {
        float x;
        int64_t y;
        assert_true(ursa_dataset_get(valid, i, NULL, &x, &y) && first[(int)x] == 'v');
    }
    ursa_dataset_free(whole);
    ursa_dataset_free(train);
    ursa_dataset_free(valid);
    assert_fails(split(ursa_random_splitter(), NULL, 4), "4 items are too few to hold out 0.2");
    assert_fails(split(ursa_random_splitter(.valid_pct = 1), NULL, 4), "valid_pct is 1");
}

static void test_folder_splitters(void **state)
{
    (void)state;
    static const char *const paths[] = {"data/train/cat/1", "data/valid/cat/2", "data/test/cat/3",
                                        "train/dog/4",      "data/train/5",     "data/xtrain/dog/6"};
    assert_string_equal(split(ursa_grandparent_splitter(), paths, 6), "tv-t--");
    assert_string_equal(split(ursa_grandparent_splitter(.valid = "test"), paths, 6), "t-vt--");
    assert_fails(split(ursa_grandparent_splitter(.valid = "val"), paths, 6), "in the folder \"val\"");
    assert_fails(split(ursa_grandparent_splitter(.train = "nothing"), paths, 6), "in the folder \"nothing\"");
}

static ursa_part by_first_letter(void *context, const ursa_data_item *item)
{
    return *item->path == *(const char *)context ? URSA_PART_VALID : URSA_PART_TRAIN;
}

static void test_listed_splitters(void **state)
{
    (void)state;
    static const char *const paths[] = {"img/a.png", "img/b.png", "other/b.png", "c.png"};
    static const char lines[] = "b.png\r\n\nc.png\n", one[] = "img/b.png", none[] = "z.png\n";
    folder made = folder_new();
    folder_write(&made, "valid.txt", lines, sizeof lines - 1);
    folder_write(&made, "one.txt", one, sizeof one - 1);
    folder_write(&made, "none.txt", none, sizeof none - 1);
    assert_string_equal(split(ursa_file_splitter(folder_path(&made, "valid.txt")), paths, 4), "tvvv");
    assert_string_equal(split(ursa_file_splitter(folder_path(&made, "one.txt")), paths, 4), "tvtt");
    assert_fails(split(ursa_file_splitter(folder_path(&made, "none.txt")), paths, 4), "none of the 1 names");
    assert_fails(split(ursa_file_splitter(folder_path(&made, "gone.txt")), paths, 4), "gone.txt: cannot be read");
    folder_remove(&made);
    assert_string_equal(split(ursa_index_splitter(((int64_t[]){3, 0}), 2), paths, 4), "vttv");
    assert_fails(split(ursa_index_splitter(((int64_t[]){1, 4}), 2), paths, 4),
                 "index 4 at position 1 is outside 0 … 3");
    assert_string_equal(split(ursa_function_splitter(by_first_letter, "o"), paths, 4), "ttvt");
    assert_string_equal(split(ursa_no_splitter, paths, 4), "tttt");
    assert_string_equal(split(ursa_all_valid_splitter, paths, 4), "vvvv");
    assert_fails(split(ursa_column_splitter("is_valid"), paths, 4), "items are files");
}

static void test_column_splitter(void **state)
{
    (void)state;
    ursa_dataloaders *loaders = of_table(ursa_category_block(), ursa_column("class"));
    assert_int_equal(ursa_dataloader_items(loaders->train), 8);
    assert_int_equal(ursa_dataloader_items(loaders->valid), 4);
    ursa_dataloaders_free(loaders);
    ursa_frame *frame = table();
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_x = ursa_column("x"),
                                               .splitter = ursa_column_splitter("class"));
    assert_fails(ursa_dataloaders_of_frame(block, frame, NULL),
                 "column \"class\", row 1: \"dog\" is neither true nor false");
    ursa_datablock_free(block);
    block = ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_x = ursa_column("x"),
                               .splitter = ursa_column_splitter("nothing"));
    assert_fails(ursa_dataloaders_of_frame(block, frame, NULL), "nothing");
    ursa_datablock_free(block);
    ursa_frame_free(frame);
}

/* ---- getters ------------------------------------------------------------------------------ */

/* What a getter finds, joined by |; NULL after an error. */
static const char *find(ursa_getter getter, const ursa_data_item *item)
{
    static char text[256];
    ursa_found found = {0};
    bool got = getter.get(&getter, item, &found);
    text[0] = '\0';
    for (int i = 0; i < found.text_count; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "|" : "", found.texts[i]);
        free(found.texts[i]);
    }
    free(found.texts);
    free(found.numbers);
    return got ? text : NULL;
}

static const char *first_letters(void *context, const char *name)
{
    static char label[8];
    snprintf(label, sizeof label, "%.*s", *(const int *)context, name);
    return *name == 'z' ? NULL : label;
}

static void test_name_getters(void **state)
{
    (void)state;
    int letters = 3;
    const ursa_data_item beagle = {.path = "pets/dogs/great_dane_17.jpg"}, bare = {.path = "z.jpg"};
    assert_string_equal(find(ursa_parent_label, &beagle), "dogs");
    assert_fails(find(ursa_parent_label, &bare), "in no folder");
    assert_string_equal(find(ursa_regex_label("(.+)_\\d+.jpg$"), &beagle), "great_dane");
    assert_string_equal(find(ursa_regex_label("(?P<kind>[^/]+)/[^/]+$", .whole_path = true), &beagle), "dogs");
    assert_fails(find(ursa_regex_label("^(\\d+)$"), &beagle), "is not found in \"great_dane_17.jpg\"");
    assert_fails(find(ursa_regex_label("dane"), &beagle), "no group");
    assert_fails(find(ursa_regex_label("(dane"), &beagle), "\"(dane\" is no regular expression");
    assert_string_equal(find(ursa_name_label(first_letters, &letters), &beagle), "gre");
    assert_string_equal(find(ursa_name_label(first_letters, &letters, .whole_path = true), &beagle), "pet");
    assert_fails(find(ursa_name_label(first_letters, &letters), &bare), "no label for \"z.jpg\"");
    assert_string_equal(find(ursa_item_label, &(ursa_data_item){.label = "cat"}), "cat");
    assert_string_equal(find(ursa_regex_label("(.+)_\\d+", .delim = "_", .suffix = "!"), &beagle), "great!|dane!");
    ursa_getter several = ursa_item_label;
    several.delim = ", ";
    assert_string_equal(find(several, &(ursa_data_item){.label = ", cat, , dog,eel, "}), "cat|dog,eel");
    assert_fails(find(ursa_item_label, &bare), "the source gives no label");
}

static void test_column_getters(void **state)
{
    (void)state;
    ursa_frame *frame = table();
    const ursa_data_item first = {.frame = frame, .row = 0}, holed = {.frame = frame, .row = 7}, file = {.path = "a/b"};
    assert_string_equal(find(ursa_column("class"), &first), "dog");
    assert_string_equal(find(ursa_column("class", .prefix = "img/", .suffix = ".jpg"), &first), "img/dog.jpg");
    assert_string_equal(find(ursa_column("tags", .delim = " "), &first), "wet|cold");
    assert_string_equal(find(ursa_column("tags", .delim = " "), &holed), "");
    assert_string_equal(find(ursa_columns(ursa_names("x", "class", "a")), &first), "0|dog|0");
    assert_fails(find(ursa_column("hole"), &holed), "column \"hole\": the cell is missing");
    assert_fails(find(ursa_column("hule"), &first), "hule");
    assert_fails(find(ursa_column("class"), &file), "items are files, not rows of a frame");
    ursa_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listers),          cmocka_unit_test(test_own_lister),
        cmocka_unit_test(test_random_splitter),  cmocka_unit_test(test_folder_splitters),
        cmocka_unit_test(test_listed_splitters), cmocka_unit_test(test_column_splitter),
        cmocka_unit_test(test_name_getters),     cmocka_unit_test(test_column_getters),
    };
    return run_unit_tests("steps", tests);
}
