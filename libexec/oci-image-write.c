/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <jansson.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "oci-json.h"
#include "util/file.h"

void oci_architecture(char ret_name[64])
{
	static const struct {
		const char *machine, *name;
	} known[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" },	   { "armv6l", "arm" },
		{ "i686", "386" },     { "i586", "386" },      { "loongarch64", "loong64" },
	};
	struct utsname host = { 0 };

	uname(&host);
	text_copy(ret_name, 64, host.machine); /* ppc64le, riscv64 and s390x have the same name */
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (text_equal(host.machine, known[i].machine))
			text_copy(ret_name, 64, known[i].name);
}

static json_t *describe(const char *media_type, const struct oci_descriptor *descriptor)
{
	return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", descriptor->digest, "size",
			 (json_int_t)descriptor->size);
}

static int write_document(const struct oci_layout *layout, json_t *document, struct oci_descriptor *ret_descriptor)
{
	CLEANUP_FREE char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;

	json_decref(document);
	return text ? oci_blob_write(layout, text, ret_descriptor) : oci_fail_memory(layout->error);
}

/* What layers of images say in their history stands in the order of the layers. */
static json_t *history(const struct oci_about *about, size_t count)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(steps, json_pack("{s:s, s:s+}", "created", about->created, "created_by",
						       i == 0 ? "layerbox base " : "layerbox container ",
						       i == 0 ? about->base : about->container));
	return steps;
}

static int write_config(const struct oci_layout *layout, const struct oci_about *about, const struct oci_layer *layers,
			size_t count, struct oci_descriptor *ret_descriptor)
{
	char architecture[64];
	json_t *diffs = json_array();

	oci_architecture(architecture);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(diffs, json_string(layers[i].diff_id));
	return write_document(layout,
			      json_pack("{s:s, s:s, s:s, s:{s:[s], s:s}, s:{s:s, s:o}, s:o}", "created", about->created,
					"architecture", architecture, "os", "linux", "config", "Cmd", "/sbin/init",
					"StopSignal", about->stop_signal, "rootfs", "type", "layers", "diff_ids", diffs,
					"history", history(about, count)),
			      ret_descriptor);
}

static int write_manifest(const struct oci_layout *layout, const struct oci_about *about,
			  const struct oci_layer *layers, size_t count, struct oci_descriptor *ret_descriptor)
{
	struct oci_descriptor config;
	json_t *descriptors = json_array();
	int r = write_config(layout, about, layers, count, &config);

	if (r < 0) {
		json_decref(descriptors);
		return r;
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(descriptors, describe(OCI_TYPE_LAYER "+gzip", &layers[i].blob));
	return write_document(layout,
			      json_pack("{s:i, s:s, s:o, s:o, s:{s:s}}", "schemaVersion", 2, "mediaType",
					OCI_TYPE_MANIFEST, "config", describe(OCI_TYPE_CONFIG, &config), "layers",
					descriptors, "annotations", OCI_ANNOTATION_CREATED, about->created),
			      ret_descriptor);
}

/* ---- index.json ---- */

static json_t *new_index(void)
{
	return json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", OCI_TYPE_INDEX, "manifests");
}

/* The index that is there, or a new one. NULL with its sentence. */
static json_t *read_index(const struct oci_layout *layout)
{
	json_t *index;

	if (faccessat(layout->fd, OCI_INDEX_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
		index = new_index();
		if (!index)
			oci_fail_memory(layout->error);
		return index;
	}
	return oci_json_read_index(layout);
}

static void forget(json_t *manifests, const char *tag)
{
	for (size_t i = json_array_size(manifests); i-- > 0;)
		if (text_equal(oci_json_tag(json_array_get(manifests, i)), tag))
			json_array_remove(manifests, i);
}

static int name_manifest(const struct oci_layout *layout, const struct oci_about *about,
			 const struct oci_descriptor *descriptor)
{
	json_t *index = read_index(layout), *manifests, *named;
	CLEANUP_FREE char *text = NULL;
	char architecture[64];
	int r;

	if (!index)
		return OCI_BAD_IMAGE;
	oci_architecture(architecture);
	manifests = json_object_get(index, "manifests");
	forget(manifests, about->tag);
	named = describe(OCI_TYPE_MANIFEST, descriptor);
	json_object_set_new(named, "platform",
			    json_pack("{s:s, s:s}", "architecture", architecture, "os", "linux"));
	json_object_set_new(named, "annotations", json_pack("{s:s}", OCI_ANNOTATION_TAG, about->tag));
	r = json_array_append_new(manifests, named);
	if (r == 0)
		text = json_dumps(index, JSON_COMPACT);
	json_decref(index);
	return text ? oci_layout_write_index(layout, text) : oci_fail_memory(layout->error);
}

int oci_image_write(const struct oci_layout *layout, const struct oci_about *about, const struct oci_layer *layers,
		    size_t count, struct oci_descriptor *ret_manifest)
{
	int r = write_manifest(layout, about, layers, count, ret_manifest);

	return r < 0 ? r : name_manifest(layout, about, ret_manifest);
}
