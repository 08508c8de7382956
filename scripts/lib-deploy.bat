@echo off
rem What the scripts that deploy to Kubernetes share, for Windows: call "lib-deploy.bat" :LABEL ARGUMENTS. The same as
rem lib-deploy.sh; the variables that a label sets are its answer. Flat code: every call is followed by a test.
call %*
if errorlevel 1 exit /b 1
exit /b 0

:defaults
set "REPO=%~dp0.."
set "NAMESPACE=bizosaas-dev"
set "RELEASE=bizosaas"
set "CONTEXT="
set "TIMEOUT=900"
set "NODE="
set "DRY_RUN=no"
set "YES=no"
set "SCRATCH="
set "POD="
rem by its whole name: Unix tools bring a find of their own
set "FIND=%SystemRoot%\System32\find.exe"
exit /b 0

rem option NAME [VALUE]: one of the options that all have. USED: how many arguments that were; RC: 2 when it was none.
:option
set "RC=0"
set "USED=1"
if "%~1"=="--dry-run" set "DRY_RUN=yes"
if "%~1"=="--dry-run" exit /b 0
if "%~1"=="--yes" set "YES=yes"
if "%~1"=="--yes" exit /b 0
if "%~1"=="-y" set "YES=yes"
if "%~1"=="-y" exit /b 0
set "VARIABLE="
if "%~1"=="--namespace" set "VARIABLE=NAMESPACE"
if "%~1"=="-n" set "VARIABLE=NAMESPACE"
if "%~1"=="--release" set "VARIABLE=RELEASE"
if "%~1"=="--context" set "VARIABLE=CONTEXT"
if "%~1"=="--host" set "VARIABLE=NODE"
if "%~1"=="--timeout" set "VARIABLE=TIMEOUT"
if "%VARIABLE%"=="" set "RC=2"
if "%VARIABLE%"=="" echo error: unknown option %~1, see --help 1>&2
if "%VARIABLE%"=="" exit /b 0
call :value %1 %2
set "%VARIABLE%=%~2"
if "%~1"=="--timeout" call :number "%~2"
if "%~1"=="--release" call :contains_name "%~2"
exit /b 0

rem value OPTION [VALUE]: RC is 2 when the value is missing
:value
set "USED=2"
set "RC=0"
if not "%~2"=="" exit /b 0
echo error: %~1 needs a value (see --help) 1>&2
set "RC=2"
exit /b 0

:number
set "REST="
for /f "delims=0123456789" %%N in ("%~1") do set "REST=%%N"
if "%REST%"=="" exit /b 0
echo error: --timeout needs a number of seconds 1>&2
set "RC=2"
exit /b 0

:contains_name
set "WHOLE=%~1"
if not "%WHOLE:bizosaas=%"=="%WHOLE%" exit /b 0
echo error: the release's name must contain bizosaas 1>&2
set "RC=2"
exit /b 0

rem confirm QUESTION: errorlevel 1 unless the answer is yes
:confirm
if "%YES%"=="yes" exit /b 0
if "%DRY_RUN%"=="yes" exit /b 0
set "ANSWER="
set /p "ANSWER=%~1 [y/N] "
if /i "%ANSWER%"=="y" exit /b 0
echo error: nothing was changed (confirm with --yes) 1>&2
exit /b 1

rem change COMMAND...: runs what changes something; a dry run prints it
:change
if "%DRY_RUN%"=="yes" echo + %*
if "%DRY_RUN%"=="yes" exit /b 0
call %*
if errorlevel 1 exit /b 1
exit /b 0

rem need PROGRAM HOW
:need
where %~1 >nul 2>nul
if not errorlevel 1 exit /b 0
echo error: %~1 is missing: %~2 1>&2
exit /b 1

rem Sets KUBE and HELM, and makes a directory for this run.
:need_cluster
call :need kubectl https://kubernetes.io/docs/tasks/tools/
if errorlevel 1 exit /b 1
set "KUBE=kubectl --namespace %NAMESPACE%"
set "HELM=helm --namespace %NAMESPACE%"
if not "%CONTEXT%"=="" set "KUBE=kubectl --context %CONTEXT% --namespace %NAMESPACE%"
if not "%CONTEXT%"=="" set "HELM=helm --kube-context %CONTEXT% --namespace %NAMESPACE%"
call :make_scratch
call %KUBE% version >nul 2>nul
if not errorlevel 1 exit /b 0
echo error: the cluster does not answer: kubectl cluster-info says more 1>&2
exit /b 1

:make_scratch
if not "%SCRATCH%"=="" exit /b 0
set "SCRATCH=%TEMP%\bizosaas-%RANDOM%%RANDOM%"
mkdir "%SCRATCH%"
exit /b 0

rem Removes what this run made for itself, and keeps nothing of a Secret.
:clean_up
if not "%POD%"=="" call %KUBE% delete pod %POD% --ignore-not-found --wait=false >nul
set "POD="
if not "%SCRATCH%"=="" rmdir /s /q "%SCRATCH%"
set "SCRATCH="
exit /b 0

rem ask KUBECTL-ARGUMENTS...: LINE is the one line that kubectl answers, or empty
:ask
set "LINE="
call %KUBE% %* >"%SCRATCH%\answer"
if errorlevel 1 exit /b 1
set /p "LINE=" <"%SCRATCH%\answer"
exit /b 0

rem HELM_RELEASE: yes when Helm installed the release
:find_helm_release
set "HELM_RELEASE=no"
where helm >nul 2>nul
if errorlevel 1 goto without_helm
call %HELM% status %RELEASE% >nul 2>nul
if errorlevel 1 exit /b 0
set "HELM_RELEASE=yes"
exit /b 0

rem where Helm keeps its releases: taken for one of Kustomize, it would be left half behind
:without_helm
call %KUBE% get secrets --selector "owner=helm,name=%RELEASE%" -o name >"%SCRATCH%\answer"
"%FIND%" "secret" <"%SCRATCH%\answer" >nul
if errorlevel 1 exit /b 0
echo error: %RELEASE% was installed with Helm, which is missing here: https://helm.sh/docs/intro/install/ 1>&2
exit /b 1

:ensure_namespace
call :ask get namespace %NAMESPACE% --ignore-not-found -o name
if not "%LINE%"=="" exit /b 0
call :change %KUBE% create namespace %NAMESPACE%
if errorlevel 1 exit /b 1
exit /b 0

rem Waits for the migration Jobs; none is as good as a complete one.
:wait_for_migration
echo waiting for the migration
if "%DRY_RUN%"=="yes" exit /b 0
set "LEFT=%TIMEOUT%"

:migration_again
call %KUBE% get jobs --selector "app.kubernetes.io/component=migrate,app.kubernetes.io/instance=%RELEASE%" -o "jsonpath={range .items[*]}{.metadata.name}={.status.succeeded}/{.status.conditions[*].type} {end}" >"%SCRATCH%\jobs"
"%FIND%" "Failed" <"%SCRATCH%\jobs" >nul
if not errorlevel 1 goto migration_failed
"%FIND%" "=/" <"%SCRATCH%\jobs" >nul
if errorlevel 1 exit /b 0
if %LEFT% LEQ 0 goto migration_failed
set /a LEFT-=2
ping -n 3 127.0.0.1 >nul
goto migration_again

:migration_failed
call %KUBE% logs --selector app.kubernetes.io/component=migrate --tail 20 1>&2
call :explain_failure
echo error: the migration did not succeed within %TIMEOUT% seconds 1>&2
exit /b 1

rem What an operator looks at first.
:explain_failure
call %KUBE% get pods -o wide 1>&2
call %KUBE% get events --field-selector type=Warning --sort-by=.lastTimestamp 1>&2
echo see docs\troubleshooting.md 1>&2
exit /b 0

:wait_for_rollout
call :rollout identity
if errorlevel 1 exit /b 1
call :rollout ai-orchestrator
if errorlevel 1 exit /b 1
call :rollout chatbot
if errorlevel 1 exit /b 1
call :rollout crm
if errorlevel 1 exit /b 1
call :rollout analytics
if errorlevel 1 exit /b 1
exit /b 0

:rollout
call :change %KUBE% rollout status deployment/%RELEASE%-%~1 --timeout=%TIMEOUT%s
if not errorlevel 1 exit /b 0
call :explain_failure
echo error: %~1 did not become ready within %TIMEOUT% seconds 1>&2
exit /b 1

rem Where the NodePorts answer: this machine when the cluster is here, else the first node.
:find_node
if not "%NODE%"=="" exit /b 0
call :ask config view --minify -o "jsonpath={.clusters[0].cluster.server}"
set "NODE=localhost"
if "%LINE%"=="" exit /b 0
set "LOCAL=no"
for %%H in (127.0.0.1 localhost 0.0.0.0 kubernetes.docker.internal) do call :is_local %%H
if "%LOCAL%"=="yes" exit /b 0
call :ask get nodes -o "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}"
for /f "tokens=1" %%N in ("%LINE%") do set "NODE=%%N"
exit /b 0

:is_local
"%FIND%" "%~1" <"%SCRATCH%\answer" >nul
if not errorlevel 1 set "LOCAL=yes"
exit /b 0

rem health_check SECONDS
:health_check
if "%DRY_RUN%"=="yes" echo + scripts\health-check.bat --wait %~1
if "%DRY_RUN%"=="yes" exit /b 0
call :ask get service %RELEASE%-identity -o "jsonpath={.spec.type}"
if errorlevel 1 exit /b 1
if not "%LINE%"=="NodePort" echo the Services are of type %LINE%: no NodePort to ask; every rollout is complete
if not "%LINE%"=="NodePort" exit /b 0
call :find_node
call "%~dp0health-check.bat" --host %NODE% --wait %~1
if errorlevel 1 exit /b 1
exit /b 0
