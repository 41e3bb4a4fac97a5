/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON documents of images, read so that nothing in them needs to be looked at twice. */
#pragma once

#include <fcntl.h>
#include <jansson.h>

#include "oci-image.h"

#define OCI_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_TYPE_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCI_ANNOTATION_TAG "org.opencontainers.image.ref.name"
#define OCI_ANNOTATION_CREATED "org.opencontainers.image.created"

/* Parses an object. NULL with its sentence, in which it is called @what. */
json_t *oci_json_parse(const struct oci_layout *layout, const char *text, const char *what);

/* Reads index.json, which has an array `manifests` of objects. NULL with its sentence. */
json_t *oci_json_read_index(const struct oci_layout *layout);

/* A member that is a string; "" where it is none. */
const char *oci_json_string(const json_t *object, const char *key);

/* The name that a descriptor of an index has there, or "". */
const char *oci_json_tag(const json_t *descriptor);

/* Reads digest and size of a descriptor. */
int oci_json_descriptor(const struct oci_layout *layout, const json_t *json, const char *what,
			struct oci_descriptor *ret_descriptor);
