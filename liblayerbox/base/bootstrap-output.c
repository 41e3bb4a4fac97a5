/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bootstrap-output.h"

/*
 * mmdebstrap announces its stages; within one, apt says how many packages it is about and then a line or
 * more for each. The shares are of the time it took where the mirror was near.
 */
static const struct {
	const char *announcement;
	const char *step;
	int from, to;                 /* percent */
	unsigned lines_per_package;
} stages[] = {
	{ "", "starting", 0, 1, 0 },
	{ "I: running apt-get update", "fetching package lists", 1, 8, 0 },
	{ "I: downloading packages", "downloading packages", 8, 22, 1 },
	{ "I: extracting archives", "unpacking", 22, 35, 0 },
	{ "I: installing essential packages", "installing", 35, 60, 2 },
	{ "I: installing remaining packages", "installing", 60, 94, 3 },
	{ "I: cleaning package lists", "cleaning up", 94, 95, 0 },
};

enum { STAGES = sizeof stages / sizeof *stages };

static void report(struct bootstrap_output *output, const char *step, const char *package)
{
	unsigned lines = output->packages * stages[output->stage].lines_per_package;
	int from = stages[output->stage].from, to = stages[output->stage].to, percent = from;
	size_t n = strcspn(package, " :");

	if (lines > 0)
		percent += (int)((unsigned)(to - from) * (output->done < lines ? output->done : lines) / lines);
	if (percent > output->percent)
		output->percent = percent;
	while (n > 0 && package[n - 1] == '.') /* "I: Unpacking dash..." */
		n--;
	progress(output->ctx, output->stage ? output->percent : -1, "%s%s%.*s", step, n ? " " : "", (int)n, package);
}

static bool enter_stage(struct bootstrap_output *output, const char *line)
{
	for (int i = 1; i < STAGES; i++) {
		if (!text_after(line, stages[i].announcement))
			continue;
		output->stage = i;
		output->done = 0; /* but the packages stay: the essential ones are downloaded, then installed */
		report(output, stages[i].step, "");
		return true;
	}
	return false;
}

/* "0 upgraded, 69 newly installed, 0 to remove ..." */
static bool take_count(struct bootstrap_output *output, const char *line)
{
	unsigned upgraded, installed;

	if (sscanf(line, "%u upgraded, %u newly installed", &upgraded, &installed) != 2 || installed > 100000)
		return false;
	output->packages = installed;
	return true;
}

static void take_package(struct bootstrap_output *output, const char *line)
{
	static const struct {
		const char *prefix, *step;
	} kinds[] = {
		{ "Get:", "downloading packages" },
		{ "Unpacking ", "unpacking" },
		{ "Setting up ", "setting up" },
		{ "I: Retrieving ", "downloading" }, /* debootstrap's from here */
		{ "I: Extracting ", "unpacking" },
		{ "I: Unpacking ", "unpacking" },
		{ "I: Configuring ", "setting up" },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const char *rest = text_after(line, kinds[i].prefix);

		if (!rest)
			continue;
		output->done++;
		report(output, kinds[i].step, *line == 'G' ? "" : rest);
		return;
	}
}

static bool has_one_of(const char *line, const char *const *words)
{
	for (; *words; words++)
		if (strstr(line, *words))
			return true;
	return false;
}

static void classify(struct bootstrap_output *output, const char *line)
{
	static const char *const unreachable[] = {
		"Could not resolve",  "Temporary failure resolving", "Could not connect", "Unable to connect",
		"Connection refused", "Connection timed out",        "Connection failed", "Network is unreachable",
		"No route to host",   "Failed getting release file", "Couldn't download", NULL,
	};
	static const char *const not_found[] = { "does not have a Release file", "404  Not Found", NULL };

	output->unreachable |= has_one_of(line, unreachable);
	output->not_found |= has_one_of(line, not_found);
	output->no_space |= strstr(line, "No space left on device") != NULL;
}

/* The first complaints are about the cause, the later ones about the consequences. */
static void take_complaint(struct bootstrap_output *output, const char *line)
{
	const char *text = text_after(line, "E: ");

	if (!text)
		text = text_after(line, "dpkg: error: ");
	if (!text)
		text = text_after(line, "dpkg: error ");
	if (!text || output->complaint_count == COMPLAINTS_MAX)
		return;
	for (unsigned i = 0; i < output->complaint_count; i++)
		if (text_equal(output->complaints[i], text))
			return;
	snprintf(output->complaints[output->complaint_count++], COMPLAINT_LENGTH, "%s", text);
}

void bootstrap_output_line(const char *line, void *userdata)
{
	struct bootstrap_output *output = userdata;

	if (enter_stage(output, line) || take_count(output, line))
		return;
	classify(output, line);
	take_complaint(output, line);
	take_package(output, line);
}

char *bootstrap_output_words(const struct bootstrap_output *output, unsigned max)
{
	CLEANUP_BUFFER struct buffer words = { 0 };

	for (unsigned i = 0; i < output->complaint_count && i < max; i++)
		buffer_format(&words, "%s%s", i ? "; " : "", output->complaints[i]);
	if (output->complaint_count == 0)
		buffer_add_text(&words, "it gave no reason");
	return buffer_finish(&words);
}
