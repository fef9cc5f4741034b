/* io.h — files: safetensors, IDX arrays, and writing that a crash cannot spoil.
 *
 * Nothing that is read is trusted: a reader never executes anything, never
 * allocates what a file merely claims, and refuses with a line that names the
 * file, what was expected and what was found.
 */
#ifndef URSA_IO_H
#define URSA_IO_H

#include <ursa/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- writing ------------------------------------------------------------------- */

/* A file written beside its place and moved there, whole, by commit: after a
 * crash or a full disk the old file is still there. */
typedef struct ursa_file_writer ursa_file_writer;
URSA_API ursa_file_writer *ursa_file_writer_open(const char *path);
URSA_API bool ursa_file_writer_write(ursa_file_writer *writer, const void *data, size_t bytes);
/* Syncs, renames and frees; false, with an error, when the old file is still in place. */
URSA_API bool ursa_file_writer_commit(ursa_file_writer *writer);
URSA_API void ursa_file_writer_abandon(ursa_file_writer *writer); /* takes NULL */

/* ---- safetensors ----------------------------------------------------------------- *
 *
 * https://github.com/huggingface/safetensors: eight bytes of header length, a
 * JSON header, then the tensors' bytes. */

/* One tensor to write, or one found. */
typedef struct ursa_stored_tensor {
    const char *name;
    ursa_dtype dtype;
    ursa_dims shape;
    const void *data; /* row-major, in the host's byte order, which must be little-endian */
    size_t bytes;
} ursa_stored_tensor;

typedef struct ursa_metadata {
    const char *key, *value;
} ursa_metadata;

/* Writes tensors sorted as given, with string metadata. The same content gives
 * the same bytes. */
URSA_API bool ursa_safetensors_write(const char *path, const ursa_stored_tensor *tensors, int count,
                                     const ursa_metadata *metadata, int metadata_count);

/* A file that has been read and checked; everything it hands out is its own. */
typedef struct ursa_safetensors ursa_safetensors;
URSA_API ursa_safetensors *ursa_safetensors_open(const char *path);
/* The same from memory, which is copied; `name` stands for the path in errors. */
URSA_API ursa_safetensors *ursa_safetensors_parse(const void *data, size_t bytes, const char *name);
URSA_API void ursa_safetensors_close(ursa_safetensors *file); /* takes NULL */
URSA_API int ursa_safetensors_count(const ursa_safetensors *file);
URSA_API const ursa_stored_tensor *ursa_safetensors_at(const ursa_safetensors *file, int index);
URSA_API const ursa_stored_tensor *ursa_safetensors_find(const ursa_safetensors *file, const char *name); /* or NULL */
URSA_API const char *ursa_safetensors_metadata(const ursa_safetensors *file, const char *key);            /* or NULL */

/* ---- checkpoints ---------------------------------------------------------------------- *
 *
 * Weights from elsewhere, by their names, whatever the file is:
 *  - what torch.save() wrote, in the zip format or the one before PyTorch 1.6.
 *    The pickle in it is not run: its reader knows tensors, storages and
 *    containers, and refuses the rest. The state dictionary may be what was
 *    saved, or lie under "state_dict", "model_state_dict", "model" or the like;
 *    "module." before all names is dropped. Doubles become f32, i8 and i16 i32;
 *  - safetensors.
 * The file is mapped: tensors are copied once, where they are loaded. It must
 * not be changed while it is open. */
typedef struct ursa_checkpoint ursa_checkpoint;

/* Opens a file, whose format is told by its first bytes. */
URSA_API ursa_checkpoint *ursa_checkpoint_open(const char *path);
URSA_API void ursa_checkpoint_close(ursa_checkpoint *file); /* takes NULL */
URSA_API const char *ursa_checkpoint_path(const ursa_checkpoint *file);
URSA_API const char *
ursa_checkpoint_format(const ursa_checkpoint *file); /* "safetensors", "PyTorch (zip)", "PyTorch (legacy)" */
URSA_API int ursa_checkpoint_count(const ursa_checkpoint *file);
URSA_API const ursa_stored_tensor *ursa_checkpoint_at(const ursa_checkpoint *file, int index);
URSA_API const ursa_stored_tensor *ursa_checkpoint_find(const ursa_checkpoint *file, const char *name); /* or NULL */
URSA_API const char *ursa_checkpoint_metadata(const ursa_checkpoint *file, const char *key);            /* or NULL */

/* Writes its tensors as safetensors, in the layout they have, which the metadata
 * say: "format": "pt" for PyTorch's, which Python's safetensors reads, and loads
 * here as the original does. */
URSA_API bool ursa_checkpoint_convert(const ursa_checkpoint *file, const char *path);

/* ---- the parameters of a module ----------------------------------------------------- */

/* Writes all parameters and buffers of a module under their names. */
URSA_API bool ursa_save_parameters(ursa_module *module, const char *path, const ursa_metadata *metadata, int count);
/* Reads them back; a tensor that is missing or has another shape is an error
 * that names it and both shapes. */
URSA_API bool ursa_load_parameters(ursa_module *module, const ursa_safetensors *file);

typedef struct ursa_load_options {
    const char *const *optional; /* names, or beginnings of names up to a dot, that are loaded only */
    int optional_count;          /* where all of them are there and fit */
    bool *optional_loaded;       /* where to say whether they were; may be NULL */
    bool adapt_channels;         /* the first convolution may have other input channels: see ursa_arch_body() */
    /* Another name for a tensor that the file lacks; NULL when there is none. */
    const char *(*other_name)(const char *name, char *text, size_t size);
} ursa_load_options;
/* Reads the parameters of a module from a checkpoint, converted to the layout
 * of this library: PyTorch's weights [O, I, H, W] become [O, H, W, I]. All files
 * of PyTorch's are taken to have its layout, as are safetensors whose metadata
 * say "format": "pt"; those whose format begins with "ursa" have ours; of others
 * the shapes decide, and PyTorch's layout where they fit both. Tensors that are missing or have other shapes are an
 * error that names them; tensors the module has no place for are logged. */
URSA_API bool ursa_load_checkpoint_opt(ursa_module *module, const ursa_checkpoint *file,
                                       const ursa_load_options *options);
#define ursa_load_checkpoint(module, file, ...)                                                                        \
    ursa_load_checkpoint_opt(module, file, &(ursa_load_options){__VA_ARGS__})

/* ---- IDX ------------------------------------------------------------------------------ *
 *
 * The format of MNIST (http://yann.lecun.com/exdb/mnist): big-endian sizes,
 * then unsigned bytes; gzipped or not. */
typedef struct ursa_idx {
    ursa_dims shape;
    uint8_t *data; /* free() it */
} ursa_idx;
URSA_API bool ursa_read_idx(const char *path, ursa_idx *out);

#ifdef __cplusplus
}
#endif
#endif
