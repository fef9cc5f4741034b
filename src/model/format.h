/* format.h — what marks a file as one of our models. */
#ifndef URSA_MODEL_FORMAT_H
#define URSA_MODEL_FORMAT_H

/* The metadata's keys, and their values where they are always the same. */
#define URSA_MODEL_FORMAT_KEY   "format"
#define URSA_MODEL_FORMAT       "ursa-model"
#define URSA_MODEL_VERSION_KEY  "version"
#define URSA_MODEL_VERSION      "2"
#define URSA_MODEL_CONTENTS_KEY "model"

#endif
