/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LAYER_SOURCE: a head; a record for each entry, the root's first, those of a directory side by side and sorted; then
 * all names. In the byte order of the host, for a state means nothing elsewhere.
 */
#include "live-states.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include "../util/array.h"
#include "../util/file.h"
#include "layer.h"
#include "live-private.h"

#define MAGIC "layerbox live states 1\n"

struct head {
	char magic[24];
	uint32_t record_size, records;
	uint64_t names_length;
};

struct record {
	struct live_state state;
	uint32_t name, name_length;   /* where in the names */
	uint32_t first, count;        /* records of a directory's entries */
};

struct live_states {
	char *data;
	const struct record *records;
	uint32_t count;
	const char *names;
	uint64_t names_length;
};

/* ---- states ---- */

bool live_is_whiteout(uint32_t mode, uint64_t rdev)
{
	return S_ISCHR(mode) && rdev == makedev(0, 0);
}

struct live_state live_state_of(const struct stat *st)
{
	return (struct live_state){
		.inode = st->st_ino,
		.ctime = st->st_ctim.tv_sec,
		.ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.size = (uint64_t)st->st_size,
		.rdev = st->st_rdev,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
}

/*
 * overlayfs makes one inode of many whiteouts, whose ctime changes with every name it gets or loses; nothing of it
 * counts but that it is one.
 */
bool live_state_is_of(const struct live_state *state, const struct stat *st)
{
	if (live_is_whiteout(st->st_mode, st->st_rdev))
		return state->inode != 0 && live_is_whiteout(state->mode, state->rdev);
	return state->inode == st->st_ino && !state->again && state->ctime == st->st_ctim.tv_sec &&
	       state->ctime_ns == st->st_ctim.tv_nsec && state->mtime == st->st_mtim.tv_sec &&
	       state->mtime_ns == st->st_mtim.tv_nsec && state->size == (uint64_t)st->st_size &&
	       state->rdev == st->st_rdev && state->mode == st->st_mode && state->uid == st->st_uid &&
	       state->gid == st->st_gid;
}

/* ---- reading ---- */

/* Where all parts are, if they are as long as the file. */
static bool find_parts(struct live_states *states, size_t length)
{
	const struct head *head = (const struct head *)(const void *)states->data;
	uint64_t records_length;

	if (length < sizeof *head || memcmp(head->magic, MAGIC, sizeof head->magic) != 0 ||
	    head->record_size != sizeof(struct record) || head->records == 0)
		return false;
	records_length = (uint64_t)head->records * sizeof(struct record);
	if (length - sizeof *head < records_length || length - sizeof *head - records_length != head->names_length)
		return false;
	states->records = (const struct record *)(const void *)(states->data + sizeof *head);
	states->count = head->records;
	states->names = states->data + sizeof *head + records_length;
	states->names_length = head->names_length;
	return true;
}

int live_states_load(struct lb_context *ctx, int layer_fd, struct live_states **ret_states)
{
	struct live_states *states = calloc(1, sizeof *states);
	size_t length = 0;
	int r;

	if (!states)
		return fail_memory(ctx);
	r = file_read(layer_fd, LAYER_SOURCE, SIZE_MAX / 2, &states->data, &length);
	if (r == 0 && find_parts(states, length)) {
		*ret_states = states;
		return 0;
	}
	live_states_free(&states);
	if (r < 0 && r != -ENOENT)
		return fail_errno(ctx, r, "cannot read the file '" LAYER_SOURCE "' of a layer");
	if (r == 0)
		log_message(ctx, LB_LOG_WARNING, "the file '" LAYER_SOURCE "' of a layer is damaged and of no use");
	return 1;
}

void live_states_free(struct live_states **states)
{
	if (!*states)
		return;
	free((*states)->data);
	free(*states);
	*states = NULL;
}

const struct live_state *live_states_get(const struct live_states *states, uint32_t index)
{
	return index < states->count ? &states->records[index].state : NULL;
}

static struct slice name_of(const struct live_states *states, const struct record *record)
{
	if (record->name > states->names_length || record->name_length > states->names_length - record->name)
		return (struct slice){ 0 };
	return (struct slice){ .data = states->names + record->name, .length = record->name_length };
}

uint32_t live_states_find(const struct live_states *states, uint32_t directory, const char *name)
{
	struct slice wanted = slice_of(name);
	uint32_t first, count;

	if (directory >= states->count)
		return LIVE_NONE;
	first = states->records[directory].first;
	count = states->records[directory].count;
	if (first > states->count || count > states->count - first)
		return LIVE_NONE;
	while (count > 0) {
		uint32_t middle = first + count / 2;
		int order = slice_compare(wanted, name_of(states, &states->records[middle]));

		if (order == 0)
			return middle;
		if (order > 0) {
			count -= middle - first + 1;
			first = middle + 1;
		} else {
			count = middle - first;
		}
	}
	return LIVE_NONE;
}

bool live_states_same(const struct live_states *states, const char *path, int dir_fd, const char *name)
{
	struct slice rest = slice_of(path), part;
	uint32_t index = 0;
	struct stat st;

	while (index != LIVE_NONE && slice_cut(&rest, '/', &part)) {
		char component[NAME_MAX + 1];

		if (part.length == 0 || slice_is(part, "."))
			continue;
		if (part.length > NAME_MAX)
			return false;
		memcpy(component, part.data, part.length);
		component[part.length] = '\0';
		index = live_states_find(states, index, component);
	}
	return index < states->count && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       live_state_is_of(&states->records[index].state, &st);
}

/* ---- writing ---- */

struct writer {
	FILE *file;
	const struct live_node **order; /* as the records are */
	size_t count, capacity;
	struct buffer names;
};

static int add_node(struct writer *writer, const struct live_node *node)
{
	const struct live_node **order = array_grow(writer->order, writer->count, &writer->capacity, sizeof *order);

	if (!order)
		return -ENOMEM;
	writer->order = order;
	writer->order[writer->count++] = node;
	return 0;
}

static int add_children(struct writer *writer, const struct live_directory *directory)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < directory->count; i++)
		if (directory->children[i]->made && directory->children[i]->state.inode)
			r = add_node(writer, directory->children[i]);
	return r;
}

static int write_record(struct writer *writer, const struct live_node *node)
{
	struct record record = { .state = node->state };
	size_t length = strlen(node->name), first = writer->count;
	int r = node->directory ? add_children(writer, node->directory) : 0;

	if (r < 0)
		return r;
	if (writer->count >= LIVE_NONE || writer->names.length + length >= UINT32_MAX)
		return -EFBIG;
	record.first = (uint32_t)first;
	record.count = (uint32_t)(writer->count - first);
	record.name = (uint32_t)writer->names.length;
	record.name_length = (uint32_t)length;
	buffer_add(&writer->names, node->name, length);
	return fwrite(&record, sizeof record, 1, writer->file) == 1 ? 0 : -EIO;
}

static int write_all(struct writer *writer, const struct live_node *root)
{
	struct head head = { .magic = MAGIC, .record_size = sizeof(struct record) };
	int r = add_node(writer, root);

	if (r == 0 && fwrite(&head, sizeof head, 1, writer->file) != 1)
		r = -EIO;
	for (size_t i = 0; r == 0 && i < writer->count; i++)
		r = write_record(writer, writer->order[i]);
	if (r < 0)
		return r;
	if (writer->names.failed)
		return -ENOMEM;
	head.records = (uint32_t)writer->count;
	head.names_length = writer->names.length;
	errno = EIO;
	if (fwrite(writer->names.data, 1, writer->names.length, writer->file) != writer->names.length ||
	    fseek(writer->file, 0, SEEK_SET) < 0 || fwrite(&head, sizeof head, 1, writer->file) != 1 ||
	    fflush(writer->file) != 0)
		return -errno;
	return 0;
}

int live_states_write(struct lb_context *ctx, const struct live_node *root, int layer_fd)
{
	CLEANUP_FD int fd = openat(layer_fd, LAYER_SOURCE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct writer writer = { 0 };
	int r;

	if (fd < 0)
		return fail_errno(ctx, errno, "cannot make the file '" LAYER_SOURCE "' of a layer");
	writer.file = fdopen(fd, "w");
	if (!writer.file)
		return fail_memory(ctx);
	take_fd(&fd);
	r = write_all(&writer, root);
	if (fclose(writer.file) != 0 && r == 0)
		r = -errno;
	free(writer.order);
	buffer_free(&writer.names);
	return r < 0 ? fail_errno(ctx, r, "cannot write the file '" LAYER_SOURCE "' of a layer") : 0;
}
