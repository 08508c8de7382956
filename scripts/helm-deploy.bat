@echo off
rem Installs or upgrades the Helm chart. See --help. The same as helm-deploy.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
set "TAG="
set "REGISTRY="
set "SECRETS_DIR="
set "ROLLBACK=yes"
set "OWN_SECRET=no"
set "ARGUMENTS="

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--no-rollback" goto take_rollback
if "%~1"=="--values" goto take_values
if "%~1"=="-f" goto take_values
if "%~1"=="--set" goto take_set
if "%~1"=="--secrets" goto take_secrets
if "%~1"=="--tag" goto take_tag
if "%~1"=="--registry" goto take_registry
call "%LIB%" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_rollback
set "ROLLBACK=no"
shift
goto arguments

:take_values
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "ARGUMENTS=%ARGUMENTS% --values "%~2""
shift
shift
goto arguments

:take_set
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
rem other users of this machine can read command lines
for /f "delims==" %%K in ("%~2") do set "KEY=%%K"
if /i "%KEY:~-8%"=="password" goto secret_given
if /i "%KEY:~-6%"=="apikey" goto secret_given
if /i "%KEY:~-14%"=="platformsecret" goto secret_given
if "%KEY%"=="secrets.existingSecret" set "OWN_SECRET=yes"
set "ARGUMENTS=%ARGUMENTS% --set "%~2""
shift
shift
goto arguments

:take_secrets
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "SECRETS_DIR=%~2"
shift
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "TAG=%~2"
shift
shift
goto arguments

:take_registry
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "REGISTRY=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\helm-deploy.bat [OPTION]
echo.
echo Installs or upgrades the chart in helm/bizosaas, waits until everything is ready and asks every service for its health.
echo Without options: bundled Postgres and Redis, generated secrets. An upgrade keeps the values that the release has, unless
echo others are given; one that fails is rolled back, a first installation stays to be looked at. Safe to repeat.
echo.
echo   --values FILE      values of yours; may be repeated
echo   --set KEY=VALUE    one value (on Windows in quotes); may be repeated; never for secrets
echo   --secrets DIR      files named like the Secret's keys: a Secret is made of them and the chart uses it
echo   --tag TAG          tag of the images (default: the chart's version of the platform)
echo   --registry NAME    registry of the images, such as registry.example
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --no-rollback      leave a failed release as it is, to look at it
echo   --context NAME     context of kubectl
echo   --host HOST        where the NodePorts answer (default: found out)
echo   --timeout SECONDS  longest wait (default 900)
echo   --dry-run          print what would be changed
echo   --yes              ask nothing
echo   --help
exit /b 0

:checked
if "%REGISTRY:~-1%"=="/" set "REGISTRY=%REGISTRY:~0,-1%"
if "%SECRETS_DIR%"=="" goto start
if exist "%SECRETS_DIR%\" goto start
echo error: %SECRETS_DIR% is not a directory 1>&2
exit /b 2

:start
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
call "%LIB%" :need helm https://helm.sh/docs/intro/install/
if errorlevel 1 exit /b 1
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
call :look_at_release
if errorlevel 1 exit /b 1
if not "%TAG%"=="" set "ARGUMENTS=%ARGUMENTS% --set-string "image.tag=%TAG%""
if not "%REGISTRY%"=="" set "ARGUMENTS=%ARGUMENTS% --set-string "image.registry=%REGISTRY%""
if "%SECRETS_DIR%"=="" call :use_earlier_secret
if not "%SECRETS_DIR%"=="" set "ARGUMENTS=%ARGUMENTS% --set-string "secrets.existingSecret=%RELEASE%-secrets""
call :look_at_chart
if errorlevel 1 exit /b 1
set "ARGUMENTS=%ARGUMENTS% --reset-then-reuse-values --wait --timeout %TIMEOUT%s"
call :undo_flag
if errorlevel 1 exit /b 1
if not "%SECRETS_DIR%"=="" call :make_secret
if errorlevel 1 exit /b 1
call "%LIB%" :change %HELM% upgrade --install %RELEASE% "%REPO%\helm\bizosaas" --create-namespace %ARGUMENTS%
if errorlevel 1 goto helm_failed
call "%LIB%" :health_check %TIMEOUT%
if errorlevel 1 exit /b 1
exit /b 0

:helm_failed
call "%LIB%" :explain_failure
echo error: helm did not succeed 1>&2
exit /b 1

:secret_given
echo error: --set would show a secret to everybody on this machine: use --secrets DIR 1>&2
exit /b 2

rem What the release is now, in SCRATCH: its values and its manifest. WORKED: yes when a revision of it ever ran.
:look_at_release
set "WORKED=no"
set "REVISION="
type nul >"%SCRATCH%\values.yaml"
type nul >"%SCRATCH%\before.yaml"
call %HELM% history %RELEASE% >"%SCRATCH%\history" 2>nul
if errorlevel 1 exit /b 0
"%FIND%" "superseded" <"%SCRATCH%\history" >nul
if not errorlevel 1 set "WORKED=yes"
rem the one whose values Helm takes, also when a later upgrade failed
"%FIND%" "deployed" <"%SCRATCH%\history" >"%SCRATCH%\deployed"
for /f "usebackq tokens=1" %%R in ("%SCRATCH%\deployed") do set "REVISION=--revision %%R"
if not "%REVISION%"=="" set "WORKED=yes"
call %HELM% get values %RELEASE% %REVISION% --output yaml >"%SCRATCH%\values.yaml"
if errorlevel 1 exit /b 1
call %HELM% get manifest %RELEASE% %REVISION% >"%SCRATCH%\before.yaml"
if errorlevel 1 exit /b 1
exit /b 0

rem A Secret that an earlier run made with --secrets is used on, whatever a file of values says, unless the release has another.
:use_earlier_secret
if "%OWN_SECRET%"=="yes" exit /b 0
call "%LIB%" :ask get secret %RELEASE%-secrets --ignore-not-found -o name
if "%LINE%"=="" exit /b 0
call :has_text before
if "%HAS_TEXT%"=="no" goto take_earlier
"%FIND%" "name: %RELEASE%-secrets" <"%SCRATCH%\before.yaml" >nul
if errorlevel 1 exit /b 0

:take_earlier
set "ARGUMENTS=%ARGUMENTS% --set-string "secrets.existingSecret=%RELEASE%-secrets""
exit /b 0

rem has_text NAME: HAS_TEXT is no when the manifests are empty
:has_text
set "HAS_TEXT=no"
"%FIND%" ":" <"%SCRATCH%\%~1.yaml" >nul
if not errorlevel 1 set "HAS_TEXT=yes"
exit /b 0

rem mode_in NAME COMPONENT: MODE is bundled when the manifests have the component as a workload of their own, else external
:mode_in
set "MODE=external"
"%FIND%" "app.kubernetes.io/component: %~2" <"%SCRATCH%\%~1.yaml" >nul
if not errorlevel 1 set "MODE=bundled"
exit /b 0

rem What the chart gives with the release's values and the given ones. Errorlevel 1 when the release would leave its database:
rem everything would be green, and the data out of sight.
:look_at_chart
call %HELM% template %RELEASE% "%REPO%\helm\bizosaas" --values "%SCRATCH%\values.yaml" %ARGUMENTS% >"%SCRATCH%\after.yaml"
if errorlevel 1 goto not_accepted
call :mode_in after redis
set "CACHE_MODE=%MODE%"
call :mode_in before postgres
set "MODE_BEFORE=%MODE%"
call :mode_in after postgres
call :has_text before
if "%HAS_TEXT%"=="no" exit /b 0
if "%MODE%"=="%MODE_BEFORE%" exit /b 0
echo error: database.mode of %RELEASE% is %MODE_BEFORE%, and these values would make it %MODE%, without its data; nothing was changed. To move: scripts\backup.bat, k8s-delete.bat, this script, scripts\restore.bat 1>&2
exit /b 1

:not_accepted
echo error: the chart does not accept these values; nothing was changed 1>&2
exit /b 1

rem Helm 4 has a new name for undoing a failed upgrade.
:undo_flag
set "UNDO=no"
rem undoing a first installation would remove what tells why it failed
if "%ROLLBACK%%WORKED%"=="yesyes" set "UNDO=yes"
set "LINE="
call helm version --template "{{.Version}}" >"%SCRATCH%\answer"
set /p "LINE=" <"%SCRATCH%\answer"
if "%LINE:~0,3%%UNDO%"=="v3.yes" set "ARGUMENTS=%ARGUMENTS% --atomic"
if "%LINE:~0,3%"=="v3." exit /b 0
for %%V in (4 5 6 7 8 9) do call :newer %%V
if "%LINE%%UNDO%"=="neweryes" set "ARGUMENTS=%ARGUMENTS% --rollback-on-failure"
if "%LINE%"=="newer" exit /b 0
echo error: this Helm is not known: %LINE% 1>&2
exit /b 1

:newer
if "%LINE:~0,2%"=="v%~1" set "LINE=newer"
exit /b 0

:make_secret
call "%LIB%" :ensure_namespace
if errorlevel 1 exit /b 1
call "%~dp0lib-secret.bat" :ensure %RELEASE%-secrets "%SECRETS_DIR%" %MODE% %CACHE_MODE%
if errorlevel 1 exit /b 1
exit /b 0
