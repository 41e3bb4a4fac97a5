/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "generation.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "../core/store.h"
#include "../util/array.h"
#include "../util/file.h"
#include "../util/keyfile.h"
#include "../util/tree.h"
#include "recipe.h"

enum { RECORD_BYTES_MAX = 65536, OS_RELEASE_BYTES_MAX = 65536, OS_LENGTH_MAX = 120 };

/* ---- generation.conf ---- */

static const char *take_parent(struct generation_record *record, const char *value)
{
	char name[NAME_LENGTH_MAX + 1];
	unsigned generation;

	if (*value && !name_parse_base(value, name, &generation))
		return "must be empty, or a base and its generation, such as debian-bookworm@1";
	return keyfile_take(&record->parent, value);
}

static const char *on_key(const char *key, const char *value, void *userdata)
{
	struct generation_record *record = userdata;
	uint64_t number;

	if (text_equal(key, "recipe"))
		return keyfile_take(&record->recipe, value);
	if (text_equal(key, "parent"))
		return take_parent(record, value);
	if (text_equal(key, "os"))
		return keyfile_take(&record->os, value);
	if (text_equal(key, "halt_signal") || text_equal(key, "reboot_signal")) {
		if (!recipe_signal_is_valid(value))
			return "must be a signal's name, such as SIGRTMIN+3";
		return keyfile_take(*key == 'h' ? &record->halt_signal : &record->reboot_signal, value);
	}
	if (!text_equal(key, "created") && !text_equal(key, "bytes"))
		return "is not a key of generation.conf";
	if (*key == 'c')
		return text_to_time(value, &record->created) ? NULL : "must be seconds since the epoch";
	if (!text_to_number(value, 0, INT64_MAX, &number))
		return "must be a number";
	record->bytes = number;
	return NULL;
}

int generation_read(struct lb_context *ctx, int directory_fd, const char *name, unsigned generation,
		    struct generation_record *ret_record)
{
	struct generation_record record = { 0 };
	CLEANUP_FREE char *text = NULL;
	char error[512], file[160];
	int r;

	snprintf(file, sizeof file, STORE_BASES "/%s/%u/" GENERATION_FILE, name, generation);
	r = file_read(directory_fd, GENERATION_FILE, RECORD_BYTES_MAX, &text, NULL);
	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_DAMAGED,
			    "generation %u of base '%s' has no %s: it was not made by layerbox, or is "
			    "damaged; import its tree under a new name",
			    generation, name, GENERATION_FILE);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s/%s", ctx->config.root, file);
	if (keyfile_parse(text, file, on_key, &record, error, sizeof error) < 0) {
		generation_record_free(&record);
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s/%s", ctx->config.root, error);
	}
	if ((!record.recipe && keyfile_take(&record.recipe, "")) || (!record.os && keyfile_take(&record.os, "")) ||
	    (!record.halt_signal && keyfile_take(&record.halt_signal, "SIGPWR")) ||
	    (!record.parent && keyfile_take(&record.parent, "")) ||
	    (!record.reboot_signal && keyfile_take(&record.reboot_signal, "SIGINT"))) {
		generation_record_free(&record);
		return fail_memory(ctx);
	}
	*ret_record = record;
	return 0;
}

char *generation_to_text(const struct generation_record *record)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, "# Written by layerbox when the tree beside it was sealed.\n");
	buffer_format(&text, "recipe = %s\n", record->recipe);
	if (!text_empty(record->parent))
		buffer_format(&text, "parent = %s\n", record->parent);
	buffer_format(&text, "os = %s\n", record->os);
	buffer_format(&text, "halt_signal = %s\nreboot_signal = %s\n", record->halt_signal, record->reboot_signal);
	buffer_format(&text, "created = %" PRId64 "\nbytes = %" PRIu64 "\n", record->created, record->bytes);
	return buffer_finish(&text);
}

void generation_record_free(struct generation_record *record)
{
	free(record->recipe);
	free(record->os);
	free(record->halt_signal);
	free(record->reboot_signal);
	free(record->parent);
	*record = (struct generation_record){ 0 };
}

static int compare_generations(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

int generation_list(int base_fd, unsigned **ret_generations, size_t *ret_count)
{
	CLEANUP_FREE unsigned *generations = NULL;
	CLEANUP_DIR DIR *dir = take_dir(openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t count = 0, capacity = 0;
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		unsigned *larger;
		uint64_t number;

		if (!text_to_number(entry->d_name, 1, GENERATION_MAX, &number))
			continue;
		larger = array_grow(generations, count, &capacity, sizeof *generations);
		if (!larger)
			return -ENOMEM;
		generations = larger;
		generations[count++] = (unsigned)number;
	}
	if (errno)
		return -errno;
	if (count > 1)
		qsort(generations, count, sizeof *generations, compare_generations);
	*ret_generations = TAKE_PTR(generations);
	*ret_count = count;
	return 0;
}

int generation_find_newest(int base_fd, unsigned *ret_generation)
{
	CLEANUP_FREE unsigned *generations = NULL;
	size_t count;
	int r = generation_list(base_fd, &generations, &count);

	if (r < 0)
		return r;
	if (count == 0)
		return -ENOENT;
	*ret_generation = generations[count - 1];
	return 0;
}

/* ---- what a tree is ---- */

/* The value of a line of os-release(5): without its quotes, one line that is fit for terminals and keyfiles. */
static char *os_value(char *value)
{
	size_t n = strcspn(value, "\n");

	value[n] = '\0';
	if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value) {
		value[n - 1] = '\0';
		value++;
	}
	if (strlen(value) > OS_LENGTH_MAX)
		value[OS_LENGTH_MAX] = '\0';
	for (char *p = value; (p = strchr(p, '\\'));)
		*p = '?';
	return strdup(text_trim(text_printable(value)));
}

static char *read_os(int tree_fd)
{
	static const char *const files[] = { "etc/os-release", "usr/lib/os-release" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		CLEANUP_FREE char *text = NULL;
		char *save = NULL;

		if (tree_read_in_root(tree_fd, files[i], OS_RELEASE_BYTES_MAX, &text) < 0)
			continue;
		for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			if (text_after(line, "PRETTY_NAME="))
				return os_value(line + strlen("PRETTY_NAME="));
	}
	return strdup("");
}

int generation_describe(struct lb_context *ctx, int tree_fd, struct generation_record *record)
{
	char *os = read_os(tree_fd);
	int r;

	if (!os)
		return fail_memory(ctx);
	free(record->os);
	record->os = os;
	record->created = (int64_t)time(NULL);
	r = tree_disk_usage(tree_fd, ".", &record->bytes);
	return r < 0 ? fail_errno(ctx, r, "cannot measure the base's tree") : 0;
}
