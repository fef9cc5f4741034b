/* state.h — what a learner's training is made of, as named tensors in host memory:
 * to put back later, or to write to a file. */
#ifndef URSA_LEARNER_STATE_H
#define URSA_LEARNER_STATE_H

#include "learner.h"

typedef struct ursa_state {
    ursa_stored_tensor *list;
    int count;
} ursa_state;

void ursa_state_clear(ursa_state *state);
const ursa_stored_tensor *ursa_state_find(const ursa_state *state, const char *name); /* or NULL */
/* A tensor, and plain memory, under "<prefix><name>". */
bool ursa_state_add(ursa_state *state, const char *prefix, const char *name, const ursa_tensor *tensor);
bool ursa_state_add_memory(ursa_state *state, const char *prefix, const char *name, const void *data, size_t bytes);
/* Memory of exactly so many bytes; an error when the state has none, or of another size. */
bool ursa_state_get_memory(const ursa_state *state, const char *prefix, const char *name, void *data, size_t bytes);

/* Parameters and buffers. */
bool ursa_state_take_model(ursa_state *state, ursa_learner *learner);
bool ursa_state_give_model(const ursa_state *state, ursa_learner *learner);
/* The optimizer's state, steps, rates, momenta and decays. */
bool ursa_state_take_optimizer(ursa_state *state, ursa_learner *learner);
bool ursa_state_give_optimizer(const ursa_state *state, ursa_learner *learner);
/* The rest: gradients that add up, random streams, counters, records, the losses of the epoch under way, and the state
 * of callbacks. */
bool ursa_state_take_training(ursa_state *state, ursa_learner *learner);
bool ursa_state_give_training(const ursa_state *state, ursa_learner *learner);

bool ursa_state_write(const ursa_state *state, const char *path, const char *format);
/* The tensors of a file that ursa_state_write() wrote; they belong to `*file`, to close afterwards. The state is not
 * to be cleared. */
bool ursa_state_read(ursa_state *state, const char *path, const char *format, ursa_safetensors **file);

#endif
