/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-json.h"

enum { NESTED_MAX = 4 };

static void release(json_t **json)
{
	json_decref(*json);
}

#define CLEANUP_JSON CLEANUP(release)

/* ---- which image ---- */

static bool is_index(const json_t *descriptor)
{
	return text_equal(oci_json_string(descriptor, "mediaType"), OCI_TYPE_INDEX);
}

/* Without a platform, it may be for this one: its configuration will say. */
static bool fits(const json_t *descriptor)
{
	const json_t *platform = json_object_get(descriptor, "platform");
	char architecture[64];

	oci_architecture(architecture);
	return is_index(descriptor) || !platform ||
	       (text_equal(oci_json_string(platform, "os"), "linux") &&
		text_equal(oci_json_string(platform, "architecture"), architecture));
}

static int fail_none(const struct oci_layout *layout, const json_t *manifests, const char *tag)
{
	CLEANUP_BUFFER struct buffer names = { 0 };
	CLEANUP_FREE char *text = NULL;

	for (size_t i = 0; i < json_array_size(manifests); i++)
		buffer_format(&names, "%s%s", i ? ", " : "", oci_json_tag(json_array_get(manifests, i)));
	buffer_add_text(&names, "");
	text = buffer_finish(&names);
	if (!*tag && json_array_size(manifests) > 1)
		return oci_fail(layout->error, -ENOENT, "%s has several images; give one as %s:TAG: %.500s",
				layout->path, layout->path, text ? text : "");
	return oci_fail(layout->error, -ENOENT, "there is no image%s%s in %s for this machine; it has: %.500s",
			*tag ? " " : "", tag, layout->path, text && *text ? text : "none");
}

/* The descriptor that is meant; NULL where there is none or, with @only, more than one. */
static const json_t *choose(const json_t *manifests, const char *tag, bool only)
{
	const json_t *chosen = NULL;

	for (size_t i = 0; i < json_array_size(manifests); i++) {
		const json_t *descriptor = json_array_get(manifests, i);

		if ((*tag && !text_equal(oci_json_tag(descriptor), tag)) || !fits(descriptor))
			continue;
		if (chosen)
			return only ? NULL : chosen;
		chosen = descriptor;
	}
	return chosen;
}

static int read_document(const struct oci_layout *layout, const json_t *descriptor, const char *what,
			 json_t **ret_document)
{
	struct oci_descriptor blob;
	CLEANUP_FREE char *text = NULL;
	int r = oci_json_descriptor(layout, descriptor, what, &blob);

	if (r == 0)
		r = oci_blob_read(layout, &blob, &text);
	if (r < 0)
		return r;
	*ret_document = oci_json_parse(layout, text, what);
	return *ret_document ? 0 : OCI_BAD_IMAGE;
}

/* Follows indexes within indexes, as images for several platforms have them. */
static int find_manifest(const struct oci_layout *layout, const char *tag, json_t **ret_manifest)
{
	CLEANUP_JSON json_t *document = oci_json_read_index(layout);

	if (!document)
		return OCI_BAD_IMAGE;
	for (int depth = 0; depth < NESTED_MAX; depth++) {
		const json_t *manifests = json_object_get(document, "manifests");
		const json_t *chosen = choose(manifests, depth == 0 ? tag : "", depth == 0);
		bool nested = is_index(chosen);
		json_t *next;
		int r;

		if (!chosen)
			return fail_none(layout, manifests, tag);
		r = read_document(layout, chosen, nested ? "an index" : "a manifest", &next);
		if (r < 0)
			return r;
		json_decref(document);
		document = next;
		if (nested)
			continue;
		*ret_manifest = TAKE_PTR(document);
		return 0;
	}
	return oci_fail(layout->error, OCI_BAD_IMAGE, "the indexes in %s are nested too deep", layout->path);
}

/* ---- its layers ---- */

static int read_compression(const struct oci_layout *layout, const char *type, enum oci_compression *ret_compression)
{
	const char *rest = text_after(type, OCI_TYPE_LAYER);

	if (rest && text_equal(rest, ""))
		*ret_compression = OCI_PLAIN;
	else if (rest && text_equal(rest, "+gzip"))
		*ret_compression = OCI_GZIP;
	else if (rest && text_equal(rest, "+zstd"))
		*ret_compression = OCI_ZSTD;
	else
		return oci_fail(layout->error, OCI_BAD_IMAGE, "a layer in %s is of a kind that cannot be read: %.200s",
				layout->path, type);
	return 0;
}

static int read_layer(const struct oci_layout *layout, const json_t *descriptor, const json_t *diff_id,
		      struct oci_image_layer *ret_layer)
{
	const char *diff = json_string_value(diff_id);
	int r = oci_json_descriptor(layout, descriptor, "a layer", &ret_layer->layer.blob);

	if (r == 0)
		r = read_compression(layout, oci_json_string(descriptor, "mediaType"), &ret_layer->compression);
	if (r < 0)
		return r;
	if (!diff || !oci_digest_is_valid(diff))
		return oci_fail(layout->error, OCI_BAD_IMAGE, "the configuration of an image in %s is damaged",
				layout->path);
	text_copy(ret_layer->layer.diff_id, sizeof ret_layer->layer.diff_id, diff);
	return 0;
}

static int check_config(const struct oci_layout *layout, const json_t *config)
{
	const char *found = oci_json_string(config, "architecture"), *os = oci_json_string(config, "os");
	char architecture[64];

	oci_architecture(architecture);
	if (text_equal(found, architecture) && text_equal(os, "linux"))
		return 0;
	return oci_fail(layout->error, -EINVAL, "the image in %s is for %.50s/%.50s, and this machine is linux/%s",
			layout->path, os, found, architecture);
}

static int read_layers(const struct oci_layout *layout, const json_t *manifest, const json_t *config,
		       struct oci_image *ret_image)
{
	const json_t *layers = json_object_get(manifest, "layers");
	const json_t *diffs = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
	size_t count = json_array_size(layers);
	int r = check_config(layout, config);

	if (r < 0)
		return r;
	if (count == 0 || count > OCI_LAYERS_MAX || json_array_size(diffs) != count)
		return oci_fail(layout->error, OCI_BAD_IMAGE,
				"the image in %s has %zu layers, and its configuration speaks of %zu; 1 to %d can be "
				"read",
				layout->path, count, json_array_size(diffs), OCI_LAYERS_MAX);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = read_layer(layout, json_array_get(layers, i), json_array_get(diffs, i), &ret_image->layers[i]);
	ret_image->count = count;
	return r;
}

int oci_image_read(const struct oci_layout *layout, const char *tag, struct oci_image *ret_image)
{
	CLEANUP_JSON json_t *manifest = NULL;
	CLEANUP_JSON json_t *config = NULL;
	int r = find_manifest(layout, tag, &manifest);

	if (r == 0)
		r = read_document(layout, json_object_get(manifest, "config"), "the configuration of an image",
				  &config);
	return r < 0 ? r : read_layers(layout, manifest, config, ret_image);
}
