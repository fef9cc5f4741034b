/* torch_file.h — the tensors of a file that torch.save() wrote. */
#ifndef URSA_IO_TORCH_FILE_H
#define URSA_IO_TORCH_FILE_H

#include <ursa/io.h>

/* Tensors in row-major order; those whose bytes in the file are not so, or whose
 * type there is none of here, are converted: f64 to f32, i16 and i8 to i32. */
typedef struct ursa_torch_file ursa_torch_file;

/* Whether the bytes begin as such a file. */
bool ursa_torch_file_is(const uint8_t *data, size_t bytes);
/* `data` must outlive it. */
ursa_torch_file *ursa_torch_file_open(const uint8_t *data, size_t bytes);
void ursa_torch_file_close(ursa_torch_file *file);               /* takes NULL */
const char *ursa_torch_file_format(const ursa_torch_file *file); /* "PyTorch (zip)" or "PyTorch (legacy)" */
const ursa_stored_tensor *ursa_torch_file_tensors(const ursa_torch_file *file, int *count);

#endif
