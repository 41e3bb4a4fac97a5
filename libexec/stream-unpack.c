/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-unpack.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "snapshot/layer.h"
#include "snapshot/snapshot.h"
#include "stream-format.h"
#include "stream-source.h"
#include "stream-tree.h"
#include "util/array.h"
#include "util/file.h"
#include "util/tree.h"

#define LAYERS "layers/"
#define BASE "base/"
#define BASE_TREE "rootfs"

enum {
	SMALL_FILES_MAX = 256,
	PADDINGS_MAX = 2,
	SNAPSHOT_FILE_MAX = 64 * 1024,
	SMALL_FILE_MAX = 1 << 20,
	DIRECTORY_MODE = 0700,
};

struct unpacking {
	int dir_fd;
	struct stream_error *error;
	struct stream_source *source;
	struct stream_plan plan;
	bool planned;
	struct stream_tree *tree; /* that comes */
	bool base_begun;
	unsigned small_files, paddings;
	uint64_t entries;
	char *last; /* name of the last small file */
	stream_plan_fn fn;
	void *userdata;
};

int stream_plan_add(struct stream_plan *plan, const char *id, bool over)
{
	struct stream_layer *layers = array_grow(plan->layers, plan->count, &plan->capacity, sizeof *layers);

	if (!layers)
		return -ENOMEM;
	plan->layers = layers;
	plan->layers[plan->count] = (struct stream_layer){ .over = over };
	text_copy(plan->layers[plan->count++].id, LAYER_ID_SIZE, id);
	return 0;
}

void stream_plan_free(struct stream_plan *plan)
{
	free(plan->layers);
	*plan = (struct stream_plan){ 0 };
}

static int refuse(struct unpacking *unpacking, const char *why)
{
	return stream_source_refuse(unpacking->source, why);
}

/* ---- small files ---- */

/* The most that a small file may have, 0 where it is none. */
static size_t small_file_max(const char *name)
{
	const char *label = text_after(name, LAYOUT_SNAPSHOTS "/");

	if (text_equal(name, STREAM_HEADER))
		return SNAPSHOT_FILE_MAX;
	if (text_equal(name, "container.conf"))
		return SMALL_FILE_MAX;
	return label && label_is_valid(label) ? SNAPSHOT_FILE_MAX : 0;
}

/* The header is the first one, then the record, then snapshots by label. */
static bool is_in_order(const struct unpacking *unpacking, const char *name)
{
	if (!unpacking->last)
		return text_equal(name, STREAM_HEADER);
	if (text_equal(unpacking->last, STREAM_HEADER))
		return text_equal(name, "container.conf");
	return strcmp(name, unpacking->last) > 0; /* which all labels are behind */
}

static int write_small_file(struct unpacking *unpacking, const char *name, const char *data, size_t length)
{
	CLEANUP_FD int fd = -1;
	int r = 0;

	if (strchr(name, '/') && mkdirat(unpacking->dir_fd, LAYOUT_SNAPSHOTS, DIRECTORY_MODE) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0)
		r = file_create(unpacking->dir_fd, name, data, length, 0600, &fd);
	return r < 0 ? stream_fail_member(unpacking->error, -r, name) : 0;
}

static int take_small_file(struct unpacking *unpacking, struct archive_entry *entry, const char *name)
{
	CLEANUP_FREE char *data = NULL;
	size_t length;
	int r;

	if (!is_in_order(unpacking, name) || ++unpacking->small_files > SMALL_FILES_MAX)
		return refuse(unpacking, "comes where it must not");
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return refuse(unpacking, "must be a file");
	r = stream_source_read_all(unpacking->source, small_file_max(name), &data, &length);
	if (r == 0)
		r = write_small_file(unpacking, name, data, length);
	if (r < 0)
		return r;
	free(unpacking->last);
	unpacking->last = strdup(name);
	return unpacking->last ? 0 : stream_fail(unpacking->error, STREAM_FAILED, "out of memory");
}

/* All of them are there: what does the caller say? */
static int make_plan(struct unpacking *unpacking)
{
	if (unpacking->small_files < 2)
		return refuse(unpacking, "comes before " STREAM_HEADER " and container.conf");
	unpacking->planned = true;
	return unpacking->fn(unpacking->userdata, &unpacking->plan, unpacking->error);
}

/* ---- trees ---- */

static int finish_tree(struct unpacking *unpacking)
{
	int r = unpacking->tree ? stream_tree_finish(unpacking->tree) : 0;

	if (r == 0)
		stream_tree_free(&unpacking->tree);
	return r;
}

/* Makes or opens the directory of a tree, where nobody but this program has been. */
static int open_place(struct unpacking *unpacking, const char *path)
{
	int r = tree_make_directories(unpacking->dir_fd, path, DIRECTORY_MODE);
	int fd = r < 0 ? r : tree_open_beneath(unpacking->dir_fd, path, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? stream_fail_errno(unpacking->error, STREAM_FAILED, -fd, "cannot make %s", path) : fd;
}

static int begin_tree(struct unpacking *unpacking, struct stream_tree_options *options, const char *path)
{
	options->fd = open_place(unpacking, path);
	options->privileged = unpacking->plan.privileged;
	return options->fd < 0 ? options->fd
			       : stream_tree_begin(options, unpacking->source, unpacking->error, &unpacking->tree);
}

static int begin_base(struct unpacking *unpacking)
{
	struct stream_tree_options options = { .prefix = BASE, .link_prefix = BASE_TREE "/", .rootless = true };

	if (!unpacking->plan.base || unpacking->base_begun)
		return refuse(unpacking, unpacking->base_begun ? "comes not with the others of its base"
							       : "is of a base, which nobody asked for");
	unpacking->base_begun = true;
	return begin_tree(unpacking, &options, "base");
}

/*
 * @rest: of the name, behind "layers/": the layer's number, as they come and were planned. (Not its identifier: the
 * same files in another layer shall be the same bytes of a stream.)
 */
static int begin_layer(struct unpacking *unpacking, const char *rest)
{
	struct stream_tree_options options = { .link_prefix = "" };
	struct stream_layer *layer;
	char number_text[16] = "", prefix[32], path[LAYER_ID_SIZE + 32];
	size_t length = strcspn(rest, "/");
	uint64_t number;

	if (length >= sizeof number_text || !rest[length])
		return refuse(unpacking, "is of no layer");
	memcpy(number_text, rest, length);
	if (!text_to_number(number_text, 1, UINT32_MAX, &number) || *number_text == '0')
		return refuse(unpacking, "is of no layer");
	if (number > unpacking->plan.count)
		return refuse(unpacking, "is of a layer that nobody asked for");
	layer = &unpacking->plan.layers[number - 1];
	if (layer->begun)
		return refuse(unpacking, "comes not with the others of its layer");
	layer->begun = true;
	snprintf(prefix, sizeof prefix, LAYERS "%s/", number_text);
	snprintf(path, sizeof path, LAYERS "%s/" LAYER_TREE, layer->id);
	options.prefix = prefix;
	options.over = layer->over;
	return begin_tree(unpacking, &options, path);
}

/* Of a generation: its tree, and what describes it. */
static int check_base(struct unpacking *unpacking, struct archive_entry *entry, const char *rest)
{
	static const char *const files[] = { "generation.conf", "manifest", "changes" };
	const char *below = text_after(rest, BASE_TREE);

	if (!*rest || (below && (!*below || *below == '/')))
		return 0;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (text_equal(rest, files[i]) && archive_entry_filetype(entry) == AE_IFREG &&
		    !archive_entry_hardlink(entry))
			return 0;
	return refuse(unpacking, "is nothing that a base has");
}

/* Nothing. */
static int pass_padding(struct unpacking *unpacking, struct archive_entry *entry)
{
	CLEANUP_FREE char *data = NULL;
	size_t length;

	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
	    ++unpacking->paddings > PADDINGS_MAX)
		return refuse(unpacking, "comes where it must not");
	return stream_source_read_all(unpacking->source, STREAM_PADDING_BYTES, &data, &length);
}

static int take_tree_member(struct unpacking *unpacking, struct archive_entry *entry, const char *name)
{
	const char *in_base = text_after(name, BASE), *in_layers = text_after(name, LAYERS);
	int r = 0;

	if (text_equal(name, STREAM_PADDING))
		return pass_padding(unpacking, entry);
	if (!in_base && !in_layers)
		return refuse(unpacking, "is nothing that a stream has");
	if (++unpacking->entries > unpacking->plan.entries_max)
		return refuse(unpacking, "is one file too many");
	if (in_base)
		r = check_base(unpacking, entry, in_base);
	if (r == 0 && unpacking->tree && !text_after(name, stream_tree_get_prefix(unpacking->tree)))
		r = finish_tree(unpacking);
	if (r == 0 && !unpacking->tree)
		r = in_base ? begin_base(unpacking) : begin_layer(unpacking, in_layers);
	return r < 0 ? r : stream_tree_put(unpacking->tree, entry);
}

/* ---- all of it ---- */

/* The next member; 1 behind the last one. */
static int take_member(struct unpacking *unpacking)
{
	struct archive_entry *entry;
	int r = stream_source_next(unpacking->source, &entry);
	const char *name = r < 0 ? NULL : archive_entry_pathname(entry);

	if (r < 0)
		return r;
	if (!unpacking->planned && small_file_max(name))
		return take_small_file(unpacking, entry, name);
	if (!unpacking->planned)
		r = make_plan(unpacking);
	if (r < 0)
		return r;
	return text_equal(name, STREAM_END) ? 1 : take_tree_member(unpacking, entry, name);
}

static int check_all_came(struct unpacking *unpacking)
{
	for (size_t i = 0; i < unpacking->plan.count; i++)
		if (!unpacking->plan.layers[i].begun)
			return stream_fail(unpacking->error, STREAM_BAD,
					   "layer %s is not in the stream, which says it is",
					   unpacking->plan.layers[i].id);
	if (unpacking->plan.base && !unpacking->base_begun)
		return stream_fail(unpacking->error, STREAM_BAD, "the base is not in the stream, which says it is");
	return 0;
}

static int unpack_all(struct unpacking *unpacking)
{
	int r;

	do
		r = take_member(unpacking);
	while (r == 0);
	if (r > 0)
		r = finish_tree(unpacking);
	if (r == 0)
		r = stream_source_end(unpacking->source);
	return r < 0 ? r : check_all_came(unpacking);
}

int stream_unpack(int fd, int dir_fd, stream_plan_fn fn, void *userdata, struct stream_error *error)
{
	struct unpacking unpacking = {
		.dir_fd = dir_fd,
		.error = error,
		.plan = STREAM_PLAN_EMPTY,
		.fn = fn,
		.userdata = userdata,
	};
	int r = stream_source_open(fd, error, &unpacking.source);

	if (r == 0)
		r = unpack_all(&unpacking);
	stream_tree_free(&unpacking.tree);
	stream_source_free(&unpacking.source);
	stream_plan_free(&unpacking.plan);
	free(unpacking.last);
	return r;
}
