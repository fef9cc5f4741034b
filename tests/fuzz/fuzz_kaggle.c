/* fuzz_kaggle.c — what comes as JSON: the file of credentials, and the lists in Kaggle's answers. */
#include "fuzz.h"

#include "data/kaggle.h"

static void read_login(const uint8_t *data, size_t size)
{
    ursa_kaggle_login login;
    if (ursa_kaggle_login_parse((const char *)data, size, "fuzz", &login))
        ursa_kaggle_login_clear(&login);
    ursa_clear_error();
}

static void read_list(const uint8_t *data, size_t size)
{
    static const ursa_kaggle_field fields[] = {
        {"name", {"name", "ref"}}, {"size", {"totalBytes", "size"}, true}, {"date", {"creationDate"}}};
    cJSON *answer = cJSON_ParseWithLength((const char *)data, size);
    ursa_frame *frame = ursa_kaggle_table(ursa_kaggle_list(answer, "files"), fields, 3);
    free(ursa_frame_head_text(frame, 10, 80));
    ursa_frame_free(frame);
    cJSON_Delete(answer);
    ursa_clear_error();
}

static void read_names(const uint8_t *data, size_t size)
{
    ursa_kaggle_subject subject;
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)(size < 500 ? size : 500), (const char *)data);
    ursa_kaggle_competition(text, &subject);
    ursa_clear_error();
    ursa_kaggle_dataset(text, &subject);
    ursa_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_login(data, size);
    read_list(data, size);
    if (size)
        read_names(data, size);
    return 0;
}
