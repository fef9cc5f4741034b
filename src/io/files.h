/* files.h — folders and paths, for what is downloaded and unpacked. */
#ifndef URSA_IO_FILES_H
#define URSA_IO_FILES_H

#include <ursa/base.h>

/* Makes a rename in a file's folder durable; a file system that cannot is no error. */
void ursa_sync_folder_of(const char *path);

/* Makes a folder, and those above it that are missing. */
bool ursa_make_folders(const char *path);

/* The same for the folder that a file is to be in. */
bool ursa_make_folder_of(const char *path);

/* Removes a file, or a folder and all in it; links are removed, not followed. What
 * is not there is no error. */
bool ursa_remove_tree(const char *path);

bool ursa_is_folder(const char *path);
int64_t ursa_file_bytes(const char *path); /* -1 when it is no file */

/* The user's folder of things that ursa keeps: URSA_HOME, or .ursa in the home
 * folder; to free(). */
char *ursa_home_folder(void);

/* "812 bytes", "1.5 kB", "811.7 MB", "5.7 GB": in powers of 1000. */
enum { URSA_SIZE_TEXT = 32 };
const char *ursa_size_text(int64_t bytes, char text[URSA_SIZE_TEXT]);

/* Waits on a lock on a file beside `path` (".name.lock") that other processes may
 * hold; the descriptor goes to ursa_unlock_path(). -1 after an error. */
int ursa_lock_path(const char *path);
void ursa_unlock_path(int lock, const char *path);

#endif
