/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was applied last, in RUNSTATEDIR, which a reboot empties together with the kernel's tables. */
#include "firewall-render.h"

#include <fcntl.h>
#include <inttypes.h>

#include "../util/file.h"
#include "../util/tree.h"

#define NOTE_FILE "firewall"

enum { NOTE_BYTES_MAX = 16 << 20 };

int firewall_look(struct lb_context *ctx, const char *bridge, uint64_t ret_fingerprints[2])
{
	char table[FIREWALL_TABLE_SIZE];
	int r;

	firewall_table_name(bridge, table);
	r = nft_fingerprint(ctx, NFT_FAMILY_BRIDGE, table, ret_fingerprints);
	return r < 0 ? r : nft_fingerprint(ctx, NFT_FAMILY_INET, table, ret_fingerprints + 1);
}

int firewall_note(struct lb_context *ctx, const struct firewall_network *network, const char *skeleton,
		  const uint64_t fingerprints[2])
{
	CLEANUP_FREE char *path = text_format("%s/" NOTE_FILE, network->run_directory);
	CLEANUP_FREE char *note = text_format("# as the kernel had it: %016" PRIx64 " %016" PRIx64 "\n%s",
					      fingerprints[0], fingerprints[1], skeleton);
	int r;

	if (!path || !note)
		return fail_memory(ctx);
	r = tree_make_directories(AT_FDCWD, network->run_directory, 0755);
	if (r >= 0)
		r = file_write(AT_FDCWD, path, note, strlen(note), 0644, FILE_LAZY);
	return r < 0 ? fail_errno(ctx, r, "cannot write %s", path) : 0;
}

int firewall_noted(struct lb_context *ctx, const struct firewall_network *network, char **ret_skeleton,
		   uint64_t ret_fingerprints[2])
{
	CLEANUP_FREE char *path = text_format("%s/" NOTE_FILE, network->run_directory);
	CLEANUP_FREE char *note = NULL;
	const char *end;

	*ret_skeleton = NULL;
	if (!path)
		return fail_memory(ctx);
	if (file_read(AT_FDCWD, path, NOTE_BYTES_MAX, &note, NULL) < 0)
		return 0;
	end = strchr(note, '\n');
	if (!end || sscanf(note, "# as the kernel had it: %" SCNx64 " %" SCNx64, ret_fingerprints,
			   ret_fingerprints + 1) != 2)
		return 0;
	*ret_skeleton = strdup(end + 1);
	return *ret_skeleton ? 0 : fail_memory(ctx);
}

int firewall_forget(struct lb_context *ctx, const char *run_directory)
{
	CLEANUP_FREE char *path = text_format("%s/" NOTE_FILE, run_directory);

	if (!path)
		return fail_memory(ctx);
	if (unlink(path) < 0 && errno != ENOENT)
		return fail_errno(ctx, errno, "cannot remove %s", path);
	return 0;
}
