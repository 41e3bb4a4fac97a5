/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON documents of an OCI image: written from what a container is, and read without trust. */
#pragma once

#include "oci-layer.h"

enum { OCI_LAYERS_MAX = 128 };

/* The architecture of this host as images name it: amd64, arm64 ... */
void oci_architecture(char ret_name[64]);

/* ---- writing ---- */

struct oci_about {
	const char *tag;
	const char *created;          /* RFC 3339 */
	const char *stop_signal;      /* what makes its init power off */
	const char *base;             /* NAME@GENERATION, for the history */
	const char *container;
};

/*
 * Writes configuration and manifest of an image of @count layers, the base's first, and makes index.json name it by its
 * tag instead of what it named so before; other images stay as they are.
 */
int oci_image_write(const struct oci_layout *layout, const struct oci_about *about, const struct oci_layer *layers,
		    size_t count, struct oci_descriptor *ret_manifest);

/* ---- reading ---- */

struct oci_image {
	size_t count;
	struct oci_image_layer {
		struct oci_layer layer;
		enum oci_compression compression;
	} layers[OCI_LAYERS_MAX];     /* the lowest first */
};

/* Finds the image called @tag, "" for the only one, that is for this host's architecture. */
int oci_image_read(const struct oci_layout *layout, const char *tag, struct oci_image *ret_image);
