#!/bin/sh
# Prints the commit of the last successful deployment to a GitHub environment, or nothing before the first one.
set -eu
environment=$1

gh api "repos/$GITHUB_REPOSITORY/deployments?environment=$environment&per_page=50" --jq '.[] | "\(.id) \(.sha)"' |
    while read -r id commit; do
        state=$(gh api "repos/$GITHUB_REPOSITORY/deployments/$id/statuses" --jq 'map(.state) | index("success")')
        if [ -n "$state" ] && [ "$state" != null ]; then
            echo "$commit"
            break
        fi
    done
