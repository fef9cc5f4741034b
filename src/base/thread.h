/* thread.h — what a thread owns and must free when it ends. */
#ifndef URSA_BASE_THREAD_H
#define URSA_BASE_THREAD_H

/* Has `run` called once on this thread when the thread ends or calls
 * ursa_finish(), last registered first. For thread-local state. */
void ursa_at_thread_exit(void (*run)(void));

/* Runs what this thread has registered, now. */
void ursa_thread_clean(void);

#endif
