/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/words.h"

#define FETCH (1u << VERB_FETCH)
#define LOAD (1u << VERB_LOAD)
#define VERIFY (1u << VERB_VERIFY)
#define INSPECT (1u << VERB_INSPECT)
#define CONVERT (1u << VERB_CONVERT)
#define CHECK (1u << VERB_CHECK)
#define COPY (1u << VERB_COPY)
#define REPAIR (1u << VERB_REPAIR)
#define WANTS (1u << VERB_WANTS)
#define RULES (1u << VERB_RULES)
#define SCAN (1u << VERB_SCAN)
#define INVENTORY (1u << VERB_INVENTORY)
#define PORTER (1u << VERB_PORTER)
#define SERVE (1u << VERB_SERVE)
#define LOGIN (1u << VERB_LOGIN)
#define LOGOUT (1u << VERB_LOGOUT)
#define EVERY ((1u << VERB_COUNT) - 1)
/* Those that do something: not the ones that print what stands in these tables. */
#define WORKING (EVERY & ~(1u << VERB_COMPLETION | 1u << VERB_HELP | 1u << VERB_VERSION))

/* clang-format off */
const struct verb words_verbs[] = {
	[VERB_FETCH] = {
		.name = "fetch", .operands = "REF...", .least = 0, .most = (size_t)-1, .operand_kind = VALUE_WORD,
		.summary = "download images into one archive",
		.about = "Downloads images straight from their registries into one tar that `docker load` and `imgpack load` "
		         "take. No daemon is needed. The registries' digests are kept, every byte is checked, and nothing stands "
		         "under FILE's name before all of it is right.\n"
		         "With -o - the archive goes to standard output and the result to standard error. What has gone out cannot "
		         "be taken back: a run that fails leaves a stream without its end, which nothing loads.\n"
		         "With --have the archive is thin: it relies on layers that the other side has, says which, and loads only where "
		         "they are. All else stays as it is.",
		.examples = "imgpack fetch nginx:1.27 quay.io/prometheus/prometheus:v3.1.0 -o apps.tar\n"
		            "imgpack fetch --images list.txt --platform linux/arm64 -o edge.tar\n"
		            "imgpack fetch --plan --images list.txt\n"
		            "imgpack fetch nginx:1.28 --have site.txt -o update.tar\n"
		            "imgpack fetch --images list.txt -o /media/stick/apps.tar --split fat32\n"
		            "imgpack fetch --images list.txt --shard 2/4 -o apps.2.tar\n"
		            "imgpack fetch nginx:1.27 -o - | ssh HOST imgpack load -\n"
		            "imgpack fetch --only list.txt nginx:1.27 -o apps.blocks\n",
	},
	[VERB_LOAD] = {
		.name = "load", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "verify an archive, bring its images into a target",
		.about = "Checks the whole archive first; nothing leaves before it is known to be good. Then the images go to the "
		         "target under the names that they were fetched by, and success is what the target shows afterwards. "
		         "Archives of docker save, podman, skopeo, crane and buildkit are taken as well.\n"
		         "A TARGET is docker or podman, by their sockets; containerd[:SOCKET[,NAMESPACE]], through its client ctr, as "
		         "the kubelet will look for the images: by tag and by digest (default: the usual socket, namespace k8s.io); "
		         "k3s[:FOLDER], the folder out of which k3s and RKE2 take images; registry:HOST[:PORT][/PREFIX]; or oci:DIR, "
		         "an OCI image layout that is made or added to.\n"
		         "Of a split archive name a chunk, the folder or several folders, whatever the chunks are called by now: "
		         "nothing is joined. On a terminal load asks for the medium that has the missing ones.\n"
		         "With - the archive comes through standard input, in one pass: layers are checked while they go to the "
		         "target, and what makes them images is sent last, when all of it was right. An upload that breaks ends the "
		         "run; the next one skips what is there. Archives of other programs and compressed ones, and several images "
		         "for podman, are kept in a temporary file (TMPDIR) and loaded from there.\n"
		         "A thin archive (`imgpack fetch --have`) loads where its other layers are: in any repository that the registry "
		         "lists, or in docker as part of an image with the same layers below. If any lacks, all that lack are named, and "
		         "nothing is changed.",
		.examples = "imgpack load apps.tar\n"
		            "imgpack load /media/stick1 /media/stick2\n"
		            "imgpack load apps.tar --to registry:registry.local:5000/mirror\n"
		            "imgpack load apps.tar --to containerd --pin\n"
		            "imgpack load apps.tar --to oci:/srv/images\n"
		            "imgpack load apps.tar --to registry:harbor.local/edge --create-project\n"
		            "imgpack load apps.tar --name nginx:1.27=web:blue --replace\n",
	},
	[VERB_VERIFY] = {
		.name = "verify", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "check every byte of an archive, change nothing",
		.about = "Checks blobs by their digests, decompressed layers by their diff IDs, and everything between them by the "
		         "archive's own table. Problems are listed one a line, and what could not be checked is said. Of a split "
		         "archive name a chunk or the folders they are in: damaged and missing chunks are named. With - the archive "
		         "comes through standard input.",
		.examples = "imgpack verify apps.tar\n"
		            "imgpack verify /media/stick\n"
		            "imgpack verify apps.tar --json\n",
	},
	[VERB_INSPECT] = {
		.name = "inspect", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "show what is inside: images, platforms, layers, sizes",
		.about = "Reads an archive's papers and lists its images with their platforms, layers, sizes and digests. Layers "
		         "are not checked: that is what `imgpack verify` does. Of a split archive name a chunk or the folders. With "
		         "- the archive comes through standard input, and is read no further than its papers.",
		.examples = "imgpack inspect apps.tar\n"
		            "imgpack inspect apps.tar --json | jq -r '.images[].name'\n",
	},
	[VERB_CONVERT] = {
		.name = "convert", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "write any archive as one of imgpack's",
		.about = "Reads what docker save, skopeo, podman, buildah, buildkit, crane or ctr wrote, k3s' and hauler's bundles, "
		         "or an archive of imgpack in chunks, plain or in gzip, bzip2, xz, zstd or lz4, and writes its images as "
		         "`imgpack fetch` would: every byte with a checksum, ready for --split, --parity and every target. All of it is "
		         "checked first; nothing stands under FILE's name before it is right, and the same input gives the same bytes. "
		         "- is standard input.\n"
		         "Manifests and indexes that the archive has keep their bytes and so their digests. Where it has none (docker "
		         "save up to 24, docker-archives of others) one is made up, and that is said. Of an index that is not all there, "
		         "what is there is taken.",
		.examples = "imgpack convert saved.tar -o apps.tar\n"
		            "imgpack convert k3s-airgap-images-amd64.tar.zst -o k3s.tar --split fat32\n"
		            "imgpack convert - -o app.tar < saved.tar.gz\n"
		            "imgpack convert oci.tar -o app.tar --name sha256:0123...=team/app:1\n",
	},
	[VERB_CHECK] = {
		.name = "check", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "say what of an archive would not load where, before the trip",
		.about = "Reads an archive's papers and compares them with what is known of the programs on the other side: layers "
		         "that they cannot unpack, platforms and layers that are not in it, names, digests that get lost. It says "
		         "what happens with `imgpack load`, which writes the papers anew for each target, and what only the "
		         "program's own tool (docker load, podman load, ctr images import, skopeo) stumbles over.\n"
		         "Nothing is asked there and layers are not checked: that is what `imgpack verify` does. The exit code is 0 "
		         "if `imgpack load` brings everything into every target that was named, 7 if not; the notes do not count.",
		.examples = "imgpack check apps.tar\n"
		            "imgpack check apps.tar --target docker20 --target k3s --platform linux/arm64\n"
		            "imgpack check saved.tar.zst --target containerd1.6 --json\n",
	},
	[VERB_COPY] = {
		.name = "copy", .operands = "SRC... [DST]", .least = 0, .most = (size_t)-1, .operand_kind = VALUE_WORD,
		.summary = "copy images from registry to registry, nothing kept on disk",
		.about = "Streams images from their registries into another one: layers go straight through, several at once, "
		         "and are checked on their way. What the destination has is skipped, so that the same command again goes "
		         "on where it ended; within one registry layers are mounted and not moved. Manifests and indexes keep "
		         "their bytes, so image@sha256:... works there, too; they go last, and a tag that points at another image "
		         "is not moved without --replace.\n"
		         "DST is where one SRC goes: HOST/REPOSITORY:TAG; without :TAG it is the source's. Many images, named one "
		         "after the other or in lists, go to --to registry:HOST[:PORT][/PREFIX], under which quay.io/x/y:1 becomes "
		         "HOST/PREFIX/x/y:1; rules (--map) name them otherwise. Everything that SRC points at is copied, all platforms and attestations; --platform "
		         "copies just some, under a new digest of the name.\n"
		         "Credentials come from docker's config.json for each registry; --username is for the destination.",
		.examples = "imgpack copy quay.io/x/y:1 harbor.local/p/y:1\n"
		            "imgpack copy nginx:1.27 harbor.local/mirror/nginx --platform linux/amd64\n"
		            "imgpack copy --images list.txt --to registry:harbor.local/mirror\n"
		            "imgpack copy --images list.txt --map gcr-mirror --map USER=me\n"
		            "imgpack copy nginx:1.27 redis:7 --to registry:localhost:5000 --plan\n",
	},
	[VERB_REPAIR] = {
		.name = "repair", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "rebuild lost or damaged chunks from parity",
		.about = "Checks every block of what `imgpack fetch --split --parity N` wrote, and makes anew what is lost or "
		         "damaged: as many chunks as there are parity files, parity files, the sums file. Files that are there "
		         "are never changed: a lost chunk comes back under its own name, beside a damaged one stands NAME.repaired. "
		         "What is rebuilt is checked before it gets its name; if too much is lost, nothing is written.",
		.examples = "imgpack repair /media/stick\n"
		            "imgpack repair apps.tar.001 -o /var/tmp\n",
	},
	[VERB_WANTS] = {
		.name = "wants", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "list what chunks lack, for `imgpack fetch --only`",
		.about = "Checks the chunks of an archive and prints a list of the blocks of 4 MiB that are missing or damaged and "
		         "that parity files at hand do not bring back. Carry the list to where the registry is, fetch just these "
		         "blocks with `imgpack fetch --only`, carry the file back and give it to `imgpack repair`. Nothing is "
		         "changed here.",
		.examples = "imgpack wants /media/stick > list.txt\n"
		            "imgpack wants /media/stick1 /media/stick2 -o list.txt\n",
	},
	[VERB_RULES] = {
		.name = "rules", .operands = "[show NAME | explain REF...]", .least = 0, .most = (size_t)-1,
		.operand_kind = VALUE_WORD,
		.summary = "list and explain the rules that --map takes",
		.about = "Rules make one reference of another: where a mirror keeps an image (fetch --map), what an image is "
		         "called on the other side (load --map). Without words the sets that imgpack carries are listed; "
		         "`show` prints one, `explain` says what becomes of references and which line does it: by the rules of "
		         "--map, or else by each of the sets.\n"
		         "A file of rules has one a line, PATTERN = RESULT, and the first that fits wins:\n"
		         "    USER = me\n"
		         "    gcr.io/distroless/{all**} = keep\n"
		         "    gcr.io/{path**} = docker.io/{USER}/{path|/=.}\n"
		         "    registry.k8s.io/coredns/coredns:v{tag} = registry.example/coredns:{tag}\n"
		         "A pattern fits the whole name (docker.io/library/nginx). {name} takes characters up to the next slash, "
		         "{name**} whole parts with the slashes between, * and ** the same without a name; {NAME} is a variable, "
		         "set in the file or by --map NAME=VALUE. In a result {name|C=TEXT} is what was taken with TEXT for every "
		         "C. Tag and digest are kept unless the result says others. A file called *.yaml holds the same as "
		         "variables: (a mapping) and rules: (a list of from: and to:).",
		.examples = "imgpack rules\n"
		            "imgpack rules show aliyun > mine.map\n"
		            "imgpack rules explain registry.k8s.io/pause:3.9\n"
		            "imgpack rules explain gcr.io/x/y:1 --map gcr-mirror --map USER=me\n",
	},
	[VERB_SCAN] = {
		.name = "scan", .operands = "FILE|DIR...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "list the images that manifests name, for `imgpack fetch --images`",
		.about = "Reads Kubernetes manifests (YAML or JSON), the output of helm template and kustomize build, values files, "
		         "Compose files, Dockerfiles and plain lists such as `kubeadm config images list`, and prints the images "
		         "that they name in full, sorted, each once. - is standard input. Of a folder *.yaml, *.yml, *.json, "
		         "Dockerfiles and Containerfiles are read; hidden files, folders behind symbolic links and the templates "
		         "of Helm charts are not: helm template CHART | imgpack scan -\n"
		         "Any image of a container counts. Elsewhere (custom resources, ConfigMaps, variables, flags, values) a "
		         "field whose name ends in image counts if a tag or a digest is written in it, or a registry's host in a "
		         "field that is called image. Text blocks inside other documents are not read, nor is a status.\n"
		         "Variables of Compose files come from the environment, the file .env beside them and their defaults; "
		         "arguments of Dockerfiles from their defaults. What stays open (a variable, a template) is a warning with "
		         "file and line, never a line of the list. A file that is no YAML ends with exit code 1, after what the "
		         "others gave.",
		.examples = "imgpack scan deploy/ compose.yaml Dockerfile\n"
		            "imgpack scan . | imgpack fetch --images - -o apps.tar\n"
		            "imgpack scan -v charts/app/values.yaml\n"
		            "imgpack scan - < rendered.yaml\n",
	},
	[VERB_INVENTORY] = {
		.name = "inventory", .operands = "TARGET|FILE...", .least = 1, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "list what a site already has, for `imgpack fetch --have`",
		.about = "Looks through one place and prints a list of the digests that are there: a text file that may go by "
		         "mail. Carry it out, and fetch leaves out what the site has. Nothing is changed here.\n"
		         "TARGET is docker (DOCKER_HOST), podman, containerd[:SOCKET[,NAMESPACE]], oci:DIR or "
		         "registry:HOST[:PORT][/PREFIX]. Of a registry all repositories are read, or those at and below PREFIX; "
		         "where a registry does not list its repositories, PREFIX names one, and several operands name several.\n"
		         "FILE is an archive that was brought there before, a chunk of one, a folder of archives or of chunks, or "
		         "another list. Of archives the papers alone are read: a list is as good as they are.\n"
		         "docker with a graph driver (its default up to 28) keeps no blobs but unpacked layers: such a list says "
		         "chain:, and what is fetched with it is for such a docker alone.",
		.examples = "imgpack inventory registry:registry.local:5000 -o site.list\n"
		            "imgpack inventory docker > site.list\n"
		            "imgpack inventory /mnt/archives/*.tar -o shipped.list\n"
		            "imgpack inventory registry:ghcr.io/me/app registry:ghcr.io/me/web -o me.list\n",
	},
	[VERB_PORTER] = {
		.name = "porter", .operands = "", .least = 0, .most = 0, .operand_kind = VALUE_NONE,
		.summary = "read the title of an issue that asks for an image",
		.about = "Reads the title of an issue from standard input, `[PORTER] REF` or `[PORTER] REF | OS/ARCH,...`, and "
		         "prints reference=REF and platforms=OS/ARCH,... for $GITHUB_OUTPUT. No byte of a title is passed on as it "
		         "is: what is printed was read as a reference and as platforms, and written anew. Without --allow "
		         "addresses, localhost and names without a dot are refused. The workflows in .github/workflows use it.",
		.examples = "imgpack porter < title.txt >> \"$GITHUB_OUTPUT\"\n"
		            "imgpack porter --json --allow gcr.io --allow quay.io < title.txt\n",
	},
	[VERB_SERVE] = {
		.name = "serve", .operands = "FILE|DIR...", .least = 0, .most = (size_t)-1, .operand_kind = VALUE_FILE,
		.summary = "be a read-only registry of what archives hold",
		.about = "Checks the archives, then answers docker, containerd, podman and every other client of registries "
		         "straight from the files: nothing is unpacked or copied, also of a split archive. Images are asked for "
		         "by their whole name behind the server's, HOST:PORT/docker.io/library/nginx:1.27, or without the "
		         "registry; where two registries have the same path, that means Docker Hub's, or none. A browser shows at "
		         "/ what there is. /healthz and /metrics are for monitoring.\n"
		         "Each file that is an archive is one; chunks and folders are one split archive together. Of a name that "
		         "several have the first counts.\n"
		         "With --print-config nothing is served: it prints the settings by which nodes ask here first and keep the "
		         "images' own names. Given archives it names the registries that they have images of.\n"
		         "Stops on Ctrl-C or SIGTERM; running downloads may take 10 seconds more.",
		.examples = "imgpack serve apps.tar\n"
		            "imgpack serve /media/stick --listen :5000\n"
		            "imgpack serve apps.tar --listen :443 --cert s.pem --key s.key --auth users\n"
		            "imgpack serve --print-config containerd --url http://stick.local:5000\n",
	},
	[VERB_LOGIN] = {
		.name = "login", .operands = "[REGISTRY]", .least = 0, .most = 1, .operand_kind = VALUE_WORD,
		.summary = "store credentials for a registry, as docker does",
		.about = "Tries the credentials at the registry (docker.io if none is named) and stores them where docker does: "
		         "in the credential helper that docker's config.json names, else in that file. On a terminal it asks for "
		         "what is missing.",
		.examples = "imgpack login quay.io\n"
		            "imgpack login ghcr.io --username me --password-stdin < token.txt\n",
	},
	[VERB_LOGOUT] = {
		.name = "logout", .operands = "[REGISTRY]", .least = 0, .most = 1, .operand_kind = VALUE_WORD,
		.summary = "forget credentials for a registry",
		.about = "Removes what `imgpack login` or `docker login` stored for the registry (docker.io if none is named).",
		.examples = "imgpack logout quay.io\n",
	},
	[VERB_COMPLETION] = {
		.name = "completion", .operands = "SHELL", .least = 1, .most = 1, .operand_kind = VALUE_SHELL,
		.summary = "print a completion script for bash, zsh or fish",
		.about = "Prints a script that completes imgpack's commands and options in bash, zsh or fish.",
		.examples = "imgpack completion bash > ~/.local/share/bash-completion/completions/imgpack\n"
		            "imgpack completion fish > ~/.config/fish/completions/imgpack.fish\n",
	},
	[VERB_HELP] = {
		.name = "help", .operands = "[COMMAND]", .least = 0, .most = 1, .operand_kind = VALUE_VERB,
		.summary = "explain a command",
		.about = "Says what a command does and which options it has, as `imgpack COMMAND --help` does.",
		.examples = "imgpack help fetch\n",
	},
	[VERB_VERSION] = {
		.name = "version", .operands = "", .least = 0, .most = 0, .operand_kind = VALUE_NONE,
		.summary = "print the version",
		.about = "Prints the program's name and version.",
		.examples = "imgpack version\n",
	},
};

const struct option words_options[] = {
	{ OPT_OUTPUT, 'o', "output", "FILE", VALUE_FILE, GROUP_WHAT, false, FETCH,
	  "the archive to write, or - for standard output; required unless --plan is given" },
	{ OPT_IMAGES, 0, "images", "FILE", VALUE_FILE, GROUP_WHAT, true, FETCH | COPY,
	  "read references from FILE too, one a line; # starts a comment, - is standard input (repeatable)" },
	{ OPT_PLATFORM, 0, "platform", "OS/ARCH[/VARIANT]", VALUE_PLATFORM, GROUP_WHAT, true, FETCH,
	  "fetch for this platform (repeatable; default: linux and this machine's architecture)" },
	{ OPT_ALL_PLATFORMS, 0, "all-platforms", NULL, VALUE_NONE, GROUP_WHAT, false, FETCH,
	  "fetch everything that an image's index names" },
	{ OPT_REFERRERS, 0, "referrers", NULL, VALUE_NONE, GROUP_WHAT, false, FETCH | COPY,
	  "bring along what belongs to the images: cosign's signatures, attestations and SBOMs, and OCI referrers" },
	{ OPT_PLAN, 0, "plan", NULL, VALUE_NONE, GROUP_WHAT, false, FETCH,
	  "say what the fetch would take: downloads, files, room on both sides, pull limits; download nothing but manifests, "
	  "write nothing" },
	{ OPT_MAP, 0, "map", "FILE|NAME|VAR=VALUE", VALUE_RULES, GROUP_WHAT, true, FETCH,
	  "fetch from where these rules say, under the name that was asked for: a file, a set of `imgpack rules`, or a value for a variable in them (repeatable)" },
	{ OPT_SHARD, 0, "shard", "I/N", VALUE_WORD, GROUP_WHAT, false, FETCH | COPY,
	  "take the I-th of N parts of the list, alike in bytes; auto/N: I is JOB_COMPLETION_INDEX of Kubernetes, plus 1" },
	{ OPT_HAVE_ARCHIVE, 0, "have-archive", "FILE", VALUE_FILE, GROUP_WHAT, true, FETCH,
	  "take blobs from this archive instead of downloading them (repeatable)" },
	{ OPT_HAVE, 0, "have", "FILE", VALUE_FILE, GROUP_WHAT, true, FETCH,
	  "leave out layers that the other side has: FILE is a list of `imgpack inventory` made there, or an archive that "
	  "was loaded there (repeatable)" },

	{ OPT_OUTPUT, 'o', "output", "FILE", VALUE_FILE, GROUP_WHAT, false, CONVERT,
	  "the archive to write, or - for standard output; required" },
	{ OPT_NAME, 0, "name", "OLD=NEW", VALUE_WORD, GROUP_WHAT, true, CONVERT,
	  "write image OLD under the name NEW; OLD may be the digest of an image without a name (repeatable)" },
	{ OPT_TARGET, 0, "target", "NAME", VALUE_CONSUMER, GROUP_WHAT, true, CHECK,
	  "what is there: docker20, docker23, docker28, containerd1.6, containerd2.1, k3s, podman4, podman5, skopeo1.9, registry "
	  "(repeatable; default: all)" },
	{ OPT_PLATFORM, 0, "platform", "OS/ARCH[/VARIANT]", VALUE_PLATFORM, GROUP_WHAT, false, CHECK,
	  "the platform of the machines there: say which images have nothing for it" },
	{ OPT_SPLIT, 0, "split", "SIZE", VALUE_SIZE, GROUP_WHAT, false, FETCH | CONVERT,
	  "cut the archive into FILE.001, FILE.002, ... of SIZE bytes: 4G, 700M, or fat32, cd, dvd, bd25; sums beside them" },
	{ OPT_PARITY, 0, "parity", "N", VALUE_WORD, GROUP_WHAT, false, FETCH | CONVERT,
	  "write N parity files beside the chunks, 1 to 64: any N lost or damaged chunks can be rebuilt from them" },
	{ OPT_ONLY, 0, "only", "LIST", VALUE_FILE, GROUP_WHAT, false, FETCH,
	  "fetch just the blocks that LIST of `imgpack wants` asks for; REF... and --platform as when the chunks were made" },
	{ OPT_REREAD, 0, "reread", NULL, VALUE_NONE, GROUP_WHAT, false, FETCH | CONVERT,
	  "read back what was written and compare it (default: on removable media)" },
	{ OPT_NO_REREAD, 0, "no-reread", NULL, VALUE_NONE, GROUP_WHAT, false, FETCH | CONVERT,
	  "do not read back what was written to removable media" },

	{ OPT_OUTPUT, 'o', "output", "FILE", VALUE_FILE, GROUP_WHAT, false, WANTS | INVENTORY,
	  "write the list to FILE instead of standard output" },
	{ OPT_NO_PARITY, 0, "no-parity", NULL, VALUE_NONE, GROUP_WHAT, false, WANTS,
	  "list everything that is missing or damaged, also what parity files at hand bring back" },

	{ OPT_TO, 0, "to", "TARGET", VALUE_TARGET, GROUP_WHAT, false, LOAD,
	  "where to: docker, podman, containerd, k3s, registry:HOST, oci:DIR (default: the first of docker, podman and "
	  "containerd that answers)" },
	{ OPT_REPLACE, 0, "replace", NULL, VALUE_NONE, GROUP_WHAT, false, LOAD,
	  "allow an existing tag to move to another image" },
	{ OPT_PIN, 0, "pin", NULL, VALUE_NONE, GROUP_WHAT, false, LOAD,
	  "containerd: keep the kubelet from removing the images when the disk fills up" },
	{ OPT_PLATFORM, 0, "platform", "OS/ARCH[/VARIANT]", VALUE_PLATFORM, GROUP_WHAT, false, LOAD,
	  "of images with several platforms, load this one" },
	{ OPT_NAME, 0, "name", "OLD=NEW", VALUE_WORD, GROUP_WHAT, true, LOAD,
	  "load image OLD under the name NEW (repeatable)" },
	{ OPT_MAP, 0, "map", "FILE|NAME|VAR=VALUE", VALUE_RULES, GROUP_WHAT, true, LOAD,
	  "name images by these rules: a file, a set of `imgpack rules`, or a value for a variable in them; --name goes before (repeatable)" },
	{ OPT_EXPECT, 0, "expect", "ID", VALUE_WORD, GROUP_WHAT, false, LOAD,
	  "refuse an archive that has another archive ID than this, the one that fetch printed" },
	{ OPT_ALLOW, 0, "allow", "HOST[:PORT]", VALUE_WORD, GROUP_WHAT, true, PORTER,
	  "take images of this registry, and of no other that is not allowed as well (repeatable)" },
	{ OPT_CREATE_PROJECT, 0, "create-project", NULL, VALUE_NONE, GROUP_WHAT, false, LOAD | COPY,
	  "make the projects that a Harbor lacks, private, with the same credentials" },
	{ OPT_RECEIPT, 0, "receipt", "FILE", VALUE_FILE, GROUP_WHAT, false, LOAD | COPY,
	  "when all is done write to FILE, as JSON, what stands where now, and since when" },

	{ OPT_TO, 0, "to", "TARGET", VALUE_TARGET, GROUP_WHAT, false, COPY,
	  "where all SRC go: registry:HOST[:PORT][/PREFIX]" },
	{ OPT_REPLACE, 0, "replace", NULL, VALUE_NONE, GROUP_WHAT, false, COPY,
	  "allow an existing tag to move to another image" },
	{ OPT_PLATFORM, 0, "platform", "OS/ARCH[/VARIANT]", VALUE_PLATFORM, GROUP_WHAT, true, COPY,
	  "copy just this platform (repeatable; default: everything that SRC points at)" },
	{ OPT_ALL_PLATFORMS, 0, "all-platforms", NULL, VALUE_NONE, GROUP_WHAT, false, COPY,
	  "copy everything that an image's index names: what is done without --platform" },
	{ OPT_NAME, 0, "name", "OLD=NEW", VALUE_WORD, GROUP_WHAT, true, COPY,
	  "with --to: copy image OLD under the name NEW (repeatable)" },
	{ OPT_MAP, 0, "map", "FILE|NAME|VAR=VALUE", VALUE_RULES, GROUP_WHAT, true, COPY,
	  "name images there by these rules, with --to or where the rules name a registry: a file, a set of `imgpack rules`, or a value for a variable in them (repeatable)" },
	{ OPT_PLAN, 0, "plan", NULL, VALUE_NONE, GROUP_WHAT, false, COPY,
	  "say what would be copied, under which names, and how much would be sent; send nothing" },

	{ OPT_OUTPUT, 'o', "output", "FOLDER", VALUE_FILE, GROUP_WHAT, false, REPAIR,
	  "where the new files go (default: the folder of the first chunk)" },

	{ OPT_NO_DIFF_IDS, 0, "no-diff-ids", NULL, VALUE_NONE, GROUP_WHAT, false, VERIFY,
	  "do not decompress layers to check their diff IDs: faster, proves less" },

	{ OPT_MAP, 0, "map", "FILE|NAME|VAR=VALUE", VALUE_RULES, GROUP_WHAT, true, RULES,
	  "explain by these: a file, the name of a set, or a value for a variable in them (repeatable)" },

	{ OPT_LISTEN, 0, "listen", "ADDRESS", VALUE_WORD, GROUP_WHAT, false, SERVE,
	  "HOST:PORT, or :PORT for all addresses (default: 127.0.0.1:5000, this machine alone)" },
	{ OPT_CERT, 0, "cert", "FILE", VALUE_FILE, GROUP_WHAT, false, SERVE,
	  "serve over TLS with the certificate in FILE (PEM, with its chain)" },
	{ OPT_KEY, 0, "key", "FILE", VALUE_FILE, GROUP_WHAT, false, SERVE,
	  "its key, unless FILE of --cert holds both" },
	{ OPT_AUTH, 0, "auth", "FILE", VALUE_FILE, GROUP_WHAT, false, SERVE,
	  "let in only the users in FILE, made by `htpasswd -B`" },
	{ OPT_ACCESS_LOG, 0, "access-log", "FILE", VALUE_FILE, GROUP_WHAT, false, SERVE,
	  "add a line for each request to FILE; -v shows them, too" },
	{ OPT_NO_VERIFY, 0, "no-verify", NULL, VALUE_NONE, GROUP_WHAT, false, SERVE,
	  "do not check every byte first; clients check what they pull" },
	{ OPT_PRINT_CONFIG, 0, "print-config", "CLIENT", VALUE_WORD, GROUP_WHAT, false, SERVE,
	  "print the nodes' settings for containerd, docker or podman, and end" },
	{ OPT_URL, 0, "url", "URL", VALUE_WORD, GROUP_WHAT, false, SERVE,
	  "how nodes reach the server, for --print-config (default: as --listen says)" },

	{ OPT_CONNECTIONS, 0, "connections", "N", VALUE_WORD, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY,
	  "connections at once, 1 to 64 (default: 8)" },
	{ OPT_PLAIN_HTTP, 0, "plain-http", "HOST[:PORT]", VALUE_WORD, GROUP_CONNECTION, true, FETCH | LOAD | COPY | INVENTORY | LOGIN,
	  "ask this registry by http://, without TLS (repeatable)" },
	{ OPT_USERNAME, 0, "username", "USER", VALUE_WORD, GROUP_CONNECTION, false, FETCH | LOAD | INVENTORY,
	  "log in as USER for this run; needs --password-stdin" },
	{ OPT_USERNAME, 0, "username", "USER", VALUE_WORD, GROUP_CONNECTION, false, COPY,
	  "log in as USER at the destination, nowhere else; needs --password-stdin" },
	{ OPT_USERNAME, 0, "username", "USER", VALUE_WORD, GROUP_CONNECTION, false, LOGIN,
	  "the name to log in with; asked for on a terminal if it is missing" },
	{ OPT_PASSWORD_STDIN, 0, "password-stdin", NULL, VALUE_NONE, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY | LOGIN,
	  "read the password or token from standard input; needs --username" },
	{ OPT_CACERT, 0, "cacert", "FILE", VALUE_FILE, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY | LOGIN,
	  "trust the CA certificates in FILE (PEM) instead of the system's" },
	{ OPT_CERT, 0, "cert", "FILE", VALUE_FILE, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY | LOGIN,
	  "show the client certificate in FILE (PEM) to registries that ask for one" },
	{ OPT_KEY, 0, "key", "FILE", VALUE_FILE, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY | LOGIN,
	  "its key, unless FILE of --cert holds both" },
	{ OPT_INSECURE, 0, "insecure-skip-tls-verify", "HOST[:PORT]", VALUE_WORD, GROUP_CONNECTION, true,
	  FETCH | LOAD | COPY | INVENTORY | LOGIN, "do not check the certificate of this host, and of no other (repeatable)" },
	{ OPT_PROXY, 0, "proxy", "URL", VALUE_WORD, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY | LOGIN,
	  "go through this proxy: http, https, socks5 or socks5h (default: as docker reads the environment)" },
	{ OPT_MIRROR, 0, "mirror", "REGISTRY=HOST[/PATH]", VALUE_WORD, GROUP_CONNECTION, true, FETCH | COPY,
	  "ask this mirror before the registry; https:// unless http:// stands before HOST (repeatable, tried in order)" },
	{ OPT_LIMIT_RATE, 0, "limit-rate", "BYTES", VALUE_WORD, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY,
	  "move at most so many bytes a second, all connections together: 500k, 2M" },
	{ OPT_STALL_TIMEOUT, 0, "stall-timeout", "SECONDS", VALUE_WORD, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY | LOGIN,
	  "give a connection up after so long without a byte, 1 to 600 (default: 30)" },
	{ OPT_RETRIES, 0, "retries", "N", VALUE_WORD, GROUP_CONNECTION, false, FETCH | LOAD | COPY | INVENTORY,
	  "try again up to N times in a row without progress, 0 to 100 (default: 5; load, inventory: 3)" },
	{ OPT_WAIT_FOR_QUOTA, 0, "wait-for-quota", NULL, VALUE_NONE, GROUP_CONNECTION, false, FETCH | COPY,
	  "when a registry's pull limit is used up, wait until it allows more, however long" },

	{ OPT_CONFIG, 0, "config", "FILE", VALUE_FILE, GROUP_OUTPUT, false, WORKING,
	  "read options from FILE (YAML); '' for none (default: IMGPACK_CONFIG, or ~/.config/imgpack/config.yaml)" },
	{ OPT_JSON, 0, "json", NULL, VALUE_NONE, GROUP_OUTPUT, false,
	  FETCH | LOAD | COPY | CONVERT | CHECK | VERIFY | INSPECT | REPAIR | WANTS | RULES | SCAN | INVENTORY | PORTER,
	  "print the result as one JSON document" },
	{ OPT_QUIET, 'q', "quiet", NULL, VALUE_NONE, GROUP_OUTPUT, false, FETCH | LOAD | COPY | CONVERT | CHECK | VERIFY | REPAIR,
	  "errors, warnings and problems alone; --json still prints its document" },
	{ OPT_QUIET, 'q', "quiet", NULL, VALUE_NONE, GROUP_OUTPUT, false, INSPECT | WANTS | SCAN | INVENTORY | SERVE | LOGIN | LOGOUT,
	  "no notes, only errors and warnings" },
	{ OPT_VERBOSE, 'v', "verbose", NULL, VALUE_NONE, GROUP_OUTPUT, false, FETCH | LOAD | COPY | CONVERT | CHECK | VERIFY | INSPECT | REPAIR | WANTS | INVENTORY | SERVE | LOGIN | LOGOUT,
	  "say more" },
	{ OPT_VERBOSE, 'v', "verbose", NULL, VALUE_NONE, GROUP_OUTPUT, false, SCAN,
	  "say the file and line of each image, and which fields were not taken for one" },
	{ OPT_NO_PROGRESS, 0, "no-progress", NULL, VALUE_NONE, GROUP_OUTPUT, false, FETCH | LOAD | COPY | CONVERT | CHECK | VERIFY | REPAIR | WANTS | INVENTORY | SERVE,
	  "no progress bars or lines" },
	{ OPT_HELP, 'h', "help", NULL, VALUE_NONE, GROUP_OUTPUT, false, EVERY,
	  "show this help" },
};

const char *const words_groups[GROUP_COUNT] = {
	[GROUP_WHAT] = "Options",
	[GROUP_CONNECTION] = "Connection",
	[GROUP_OUTPUT] = "Output",
};

const struct words_exit words_exits[] = {
	{ "0", "done and verified" },
	{ "1", "the bytes are not what was promised: corrupt, incomplete" },
	{ "2", "wrong usage" },
	{ "3", "network or registry unreachable" },
	{ "4", "credentials missing or refused" },
	{ "5", "no such image, tag or platform" },
	{ "6", "local disk or file" },
	{ "7", "the target refused, or would refuse (check)" },
	{ "128+n", "stopped by signal n" },
	{ NULL, NULL },
};

const struct words_variable words_variables[] = {
	{ "IMGPACK_CONFIG", "the configuration file; empty: none (default: imgpack/config.yaml in XDG_CONFIG_HOME or ~/.config)" },
	{ "DOCKER_CONFIG", "the folder of docker's config.json, for credentials (default: ~/.docker)" },
	{ "DOCKER_HOST", "the docker daemon that load talks to (default: unix:///var/run/docker.sock)" },
	{ "CONTAINER_HOST", "the podman service that load talks to (default: this user's socket, or root's)" },
	{ "CONTAINERD_ADDRESS", "the containerd socket that load uses (default: containerd's own, else k3s')" },
	{ "HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "proxies and exceptions, read as docker reads them; small letters too" },
	{ "ALL_PROXY", "the proxy where HTTPS_PROXY or HTTP_PROXY is not set; all_proxy too" },
	{ "JOB_COMPLETION_INDEX", "the part that --shard auto/N fetches, counted from 0; Kubernetes' indexed Jobs set it" },
	{ "TMPDIR", "the folder for temporary files: unpacked archives, and what comes through a pipe (default: /var/tmp)" },
	{ "NO_COLOR", "if set and not empty: no colours" },
	{ NULL, NULL },
};
/* clang-format on */

const size_t words_option_count = sizeof(words_options) / sizeof(words_options[0]);

static const char *const platforms[] = { "linux/amd64",   "linux/arm64", "linux/arm/v7",  "linux/arm/v6",  "linux/386",
					 "linux/ppc64le", "linux/s390x", "linux/riscv64", "windows/amd64", NULL };
static const char *const targets[] = { "docker", "podman", "containerd", "k3s", "registry:", "oci:", NULL };
static const char *const consumers[] = { "docker20",      "docker23", "docker28", "containerd1.6",
					 "containerd2.1", "k3s",      "podman4",  "podman5",
					 "skopeo1.9",     "registry", NULL };
static const char *const sizes[] = { "fat32", "cd", "dvd", "bd25", "4G", "700M", NULL };
static const char *const rule_sets[] = { "aliyun", "daocloud", "gcr-mirror", "lank8s", "ustc", NULL };
static const char *const shells[] = { "bash", "zsh", "fish", NULL };

const char *const *words_values(enum value_kind kind)
{
	switch (kind) {
	case VALUE_PLATFORM:
		return platforms;
	case VALUE_TARGET:
		return targets;
	case VALUE_CONSUMER:
		return consumers;
	case VALUE_SIZE:
		return sizes;
	case VALUE_SHELL:
		return shells;
	case VALUE_RULES:
		return rule_sets;
	case VALUE_NONE:
	case VALUE_WORD:
	case VALUE_FILE:
	case VALUE_VERB:
		break;
	}
	return NULL;
}
