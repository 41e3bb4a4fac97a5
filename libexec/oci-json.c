/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-json.h"

#include "util/file.h"

json_t *oci_json_parse(const struct oci_layout *layout, const char *text, const char *what)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (json && json_is_object(json))
		return json;
	oci_fail(layout->error, OCI_BAD_IMAGE, "%s in %s is damaged: %s", what, layout->path,
		 json ? "it is no object" : error.text);
	json_decref(json);
	return NULL;
}

static bool all_are_objects(const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!json_is_object(json_array_get(array, i)))
			return false;
	return json_is_array(array);
}

json_t *oci_json_read_index(const struct oci_layout *layout)
{
	CLEANUP_FREE char *text = NULL;
	json_t *index;
	int r = file_read(layout->fd, OCI_INDEX_FILE, OCI_TEXT_MAX, &text, NULL);

	if (r < 0) {
		oci_fail_errno(layout->error, r, "cannot read %s/" OCI_INDEX_FILE, layout->path);
		return NULL;
	}
	index = oci_json_parse(layout, text, OCI_INDEX_FILE);
	if (!index || all_are_objects(json_object_get(index, "manifests")))
		return index;
	oci_fail(layout->error, OCI_BAD_IMAGE, OCI_INDEX_FILE " in %s is damaged: it has no list of manifests",
		 layout->path);
	json_decref(index);
	return NULL;
}

const char *oci_json_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

const char *oci_json_tag(const json_t *descriptor)
{
	return oci_json_string(json_object_get(descriptor, "annotations"), OCI_ANNOTATION_TAG);
}

int oci_json_descriptor(const struct oci_layout *layout, const json_t *json, const char *what,
			struct oci_descriptor *ret_descriptor)
{
	const char *digest = oci_json_string(json, "digest");
	const json_t *size = json_object_get(json, "size");

	if (!oci_digest_is_valid(digest) || !json_is_integer(size) || json_integer_value(size) < 0)
		return oci_fail(layout->error, OCI_BAD_IMAGE, "%s in %s has no SHA-256 digest and size", what,
				layout->path);
	text_copy(ret_descriptor->digest, sizeof ret_descriptor->digest, digest);
	ret_descriptor->size = (uint64_t)json_integer_value(size);
	return 0;
}
