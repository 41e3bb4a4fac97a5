/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads and writes directories in the form of OCI image layouts for liblayerbox, which itself loads neither libarchive
 * nor jansson. Where it fails, one sentence on standard error and status 1; 2 when no space is left, 3 when the image is
 * not as it has to be.
 *
 *     layerbox-oci export -- LAYOUT BASE-FD LAYER-FD|-   adds an image of two open trees, described on standard input
 *     layerbox-oci import -- LAYOUT TAG DIRECTORY        lays the layers of one into an empty directory
 */
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include "confine.h"
#include "oci-apply.h"
#include "oci-image.h"
#include "util/file.h"
#include "util/keyfile.h"

enum { DESCRIPTION_MAX = 65536, ID_MAX = 65535 };

static int complain(struct oci_error *error, int code)
{
	fprintf(stderr, "%s\n", text_printable(error->text));
	return code == -ENOSPC || code == -EDQUOT ? 2 : code == OCI_BAD_IMAGE ? 3 : 1;
}

/* ---- export ---- */

struct description {
	char *tag, *created, *stop_signal, *base, *container;
	char *base_layer;             /* "DIGEST SIZE DIFF-ID" of an earlier export of the same base; may be "" */
};

static const char *take_line(const char *key, const char *value, void *userdata)
{
	struct description *description = userdata;
	const struct {
		const char *key;
		char **member;
	} lines[] = {
		{ "tag", &description->tag },
		{ "created", &description->created },
		{ "stop_signal", &description->stop_signal },
		{ "base", &description->base },
		{ "container", &description->container },
		{ "base_layer", &description->base_layer },
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (text_equal(key, lines[i].key))
			return keyfile_take(lines[i].member, value);
	return "is no key of a description";
}

static void description_free(struct description *description)
{
	free(description->tag);
	free(description->created);
	free(description->stop_signal);
	free(description->base);
	free(description->container);
	free(description->base_layer);
}

static int read_description(struct description *description, struct oci_error *error)
{
	CLEANUP_FREE char *text = NULL;
	int r = fd_read_all(STDIN_FILENO, DESCRIPTION_MAX, &text, NULL);

	if (r < 0)
		return oci_fail_errno(error, r, "cannot read the description");
	r = keyfile_parse(text, "description", take_line, description, error->text, sizeof error->text);
	if (r < 0)
		return r;
	if (!description->tag || !description->created || !description->stop_signal || !description->base ||
	    !description->container)
		return oci_fail(error, -EINVAL, "the description is not complete");
	return 0;
}

/* What an earlier export made of this base, where it says so and the blob is in this layout as it was. */
static bool is_there(const struct oci_layout *layout, const char *text, struct oci_layer *ret_layer)
{
	struct slice rest = slice_of(text ? text : ""), digest, size, diff_id;
	struct oci_layer layer;

	if (!slice_split(&rest, ' ', &digest) || !slice_split(&rest, ' ', &size) ||
	    !slice_split(&rest, ' ', &diff_id) || digest.length >= OCI_DIGEST_SIZE ||
	    diff_id.length >= OCI_DIGEST_SIZE || !slice_to_number(size, 0, INT64_MAX, &layer.blob.size))
		return false;
	snprintf(layer.blob.digest, sizeof layer.blob.digest, "%.*s", SLICE_ARGS(digest));
	snprintf(layer.diff_id, sizeof layer.diff_id, "%.*s", SLICE_ARGS(diff_id));
	if (!oci_digest_is_valid(layer.blob.digest) || !oci_digest_is_valid(layer.diff_id) ||
	    !oci_blob_is_good(layout, &layer.blob))
		return false;
	*ret_layer = layer;
	return true;
}

/* @layer_fd -1: the container has nothing of its own. */
static int export_trees(const char *path, int base_fd, int layer_fd, struct oci_error *error)
{
	CLEANUP(description_free) struct description description = { 0 };
	CLEANUP_OCI_LAYOUT struct oci_layout layout = OCI_LAYOUT_EMPTY;
	struct oci_descriptor manifest;
	struct oci_layer layers[2];
	struct oci_about about;
	int r = read_description(&description, error);

	if (r == 0)
		r = oci_layout_make(path, error, &layout);
	if (r < 0)
		return r;
	about = (struct oci_about){
		.tag = description.tag,
		.created = description.created,
		.stop_signal = description.stop_signal,
		.base = description.base,
		.container = description.container,
	};
	if (!is_there(&layout, description.base_layer, &layers[0]))
		r = oci_layer_write(&layout, base_fd, -1, &layers[0]);
	if (r == 0 && layer_fd >= 0)
		r = oci_layer_write(&layout, layer_fd, base_fd, &layers[1]);
	if (r == 0)
		r = oci_image_write(&layout, &about, layers, layer_fd >= 0 ? 2 : 1, &manifest);
	if (r == 0)
		printf("base_layer = %s %llu %s\n", layers[0].blob.digest, (unsigned long long)layers[0].blob.size,
		       layers[0].diff_id);
	return r;
}

static bool parse_fd(const char *text, int *ret_fd)
{
	uint64_t number;

	if (!text_to_number(text, 3, 1 << 20, &number))
		return false;
	*ret_fd = (int)number;
	return true;
}

static int run_export(char **arguments, struct oci_error *error)
{
	int base_fd, layer_fd = -1;

	if (!parse_fd(arguments[1], &base_fd) || (!text_equal(arguments[2], "-") && !parse_fd(arguments[2], &layer_fd)))
		return oci_fail(error, -EINVAL, "%s or %s is no descriptor", arguments[1], arguments[2]);
	umask(077);
	return export_trees(arguments[0], base_fd, layer_fd, error);
}

/* ---- import ---- */

static int apply_layers(const struct oci_layout *layout, const struct oci_image *image, const char *directory)
{
	CLEANUP_FD int fd = confine_writes_to(directory);
	uint64_t entries_left = OCI_ENTRIES_MAX;
	int r = fd < 0 ? oci_fail_errno(layout->error, -errno, "cannot prepare %s", directory) : 0;

	for (size_t i = 0; r == 0 && i < image->count; i++)
		r = oci_layer_apply(layout, &image->layers[i].layer, image->layers[i].compression, ID_MAX, fd,
				    &entries_left);
	return r;
}

static int run_import(char **arguments, struct oci_error *error)
{
	CLEANUP_OCI_LAYOUT struct oci_layout layout = OCI_LAYOUT_EMPTY;
	struct oci_image image = { 0 };
	int r = oci_layout_open(arguments[0], error, &layout);

	/* Names in archives are UTF-8 or bytes; in the C locale libarchive would refuse the former. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (r == 0)
		r = oci_image_read(&layout, arguments[1], &image);
	return r < 0 ? r : apply_layers(&layout, &image, arguments[2]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **arguments, struct oci_error *error);
	} commands[] = { { "export", run_export }, { "import", run_import } };
	struct oci_error error = { "" };

	for (size_t i = 0; argc == 6 && i < sizeof commands / sizeof *commands; i++) {
		if (text_equal(argv[1], commands[i].name) && text_equal(argv[2], "--")) {
			int r = commands[i].run(argv + 3, &error);

			return r < 0 ? complain(&error, r) : 0;
		}
	}
	fprintf(stderr, "usage: layerbox-oci export|import -- ...; it is run by layerbox\n");
	return 1;
}
